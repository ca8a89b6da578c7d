"""Events come out whole, however the network cuts the bytes."""

from __future__ import annotations

import pytest

from wending.assess.sse import EventSplitter

STREAM = (
    b": ping\r\n\r\n"
    b'data: {"a": 1}\r\n\r\n'
    b"event: message\nid: 3\ndata: first\ndata:second\n\n"
    b"data: \xe7\xa8\xb3\xe5\xae\x9a\r\rdata: [DONE]\n\n"
)
EVENTS = [b'{"a": 1}', b"first\nsecond", "稳定".encode(), b"[DONE]"]


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_pieces_of_any_size_give_the_same_events(size: int) -> None:
    splitter = EventSplitter()
    events = []
    for start in range(0, len(STREAM), size):
        events += splitter.feed(STREAM[start : start + size])
    assert events == EVENTS


def test_the_last_event_without_a_blank_line_is_given_at_the_end() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: whole\n\ndata: cut") == [b"whole"]
    assert splitter.finish() == [b"cut"]
    assert splitter.finish() == []
