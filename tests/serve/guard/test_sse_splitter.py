from __future__ import annotations

import pytest

from wending.serve.guard import sse_splitter
from wending.serve.guard.sse_splitter import SSESplitter

STREAM = (
    b'data: {"a":1}\n\n: ping\n\nevent: x\r\ndata: {"b":\r\ndata: "\xe4\xbd\xa0"}\r\n\r\ndata:no space\r\r'
    b"id: 7\n\ndata\n\ndata: last"
)
EVENTS = [b'{"a":1}', b'{"b":\n"\xe4\xbd\xa0"}', b"no space", b"", b"last"]


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_any_borders_give_the_same_events(size: int) -> None:
    splitter = SSESplitter()
    events = [event for i in range(0, len(STREAM), size) for event in splitter.feed(STREAM[i : i + size])]
    assert events + splitter.end() == EVENTS


def test_an_event_without_an_end_is_not_collected_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse_splitter, "MAX_EVENT_BYTES", 1000)
    splitter = SSESplitter()
    for _ in range(19):
        splitter.feed(b"data: " + b"x" * 50 + b"\n")
    with pytest.raises(ValueError, match="1000"):
        splitter.feed(b"data: " + b"x" * 51)
