"""A steady state is told from a load that is still rising, and from times that still change."""

from __future__ import annotations

from random import Random

from wending.assess.chat_answer import ChatAnswer
from wending.assess.load.record import RequestRecord
from wending.assess.load.steady import is_steady


def stream(start: float, requests: int, ttft: float = 0.2, rise: float = 0.0) -> list[RequestRecord]:
    """Requests of one second, one after the other; the first is not counted."""
    noise, records = Random(start), []
    for number in range(requests):
        sent = start + number
        first = sent + ttft + rise * sent + noise.uniform(0, 0.05)
        answer = ChatAnswer(sent, "tea", [first, sent + 1], sent + 1, "stop", 11)
        records.append(RequestRecord(number, sent, number > 0, answer))
    return records


def test_streams_that_run_all_the_time_are_steady() -> None:
    records = [*stream(0.0, 12), *stream(0.5, 12)]
    # The second stream goes on until the last counted request of the first is over, and the other way round.
    records += [RequestRecord(99, 12.0, False, ChatAnswer(12.0, "tea", [12.2], 13.0, "stop", 11))]
    assert is_steady(records, 2)
    assert not is_steady(records, 3)


def test_a_wait_that_grows_is_not_steady() -> None:
    assert is_steady(stream(0.0, 20), 1)
    assert not is_steady(stream(0.0, 20, rise=0.03), 1)


def test_what_was_cut_off_was_busy_until_then() -> None:
    records = [*stream(0.0, 3), RequestRecord(9, 3.0, True, ChatAnswer(3.0))]
    assert is_steady(records, 1, ended=8.0)
    assert not is_steady(stream(0.0, 3), 1, ended=8.0)


def test_nothing_counted_is_not_steady() -> None:
    assert not is_steady(stream(0.0, 1), 1)
