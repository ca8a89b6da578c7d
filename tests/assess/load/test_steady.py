"""A steady state is told from a load that is still rising, and from times that still change."""

from __future__ import annotations

from random import Random

from wending.assess.bilingual import chinese
from wending.assess.chat_answer import ChatAnswer
from wending.assess.load.record import RequestRecord
from wending.assess.load.steady import why_unsteady


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
    assert why_unsteady(records, 2) == ""
    found = why_unsteady(records, 3)
    assert found == "67% of the streams were busy"
    assert chinese(found) == "平均只有 67% 的并发路处于忙碌"


def test_a_time_that_changes_is_not_steady() -> None:
    assert why_unsteady(stream(0.0, 20), 1) == ""
    rises = why_unsteady(stream(0.0, 20, rise=0.03), 1)
    assert (rises, chinese(rises)) == ("the time to the first token rose", "首字时延上升")
    # The whole answer takes as long as ever: the sooner its first token, the longer each of the others.
    assert why_unsteady(stream(0.0, 20, ttft=0.9, rise=-0.04), 1) == "the time to the first token fell"


def test_what_was_cut_off_was_busy_until_then() -> None:
    records = [*stream(0.0, 3), RequestRecord(9, 3.0, True, ChatAnswer(3.0))]
    assert why_unsteady(records, 1, ended=8.0) == ""
    assert why_unsteady(stream(0.0, 3), 1, ended=8.0) == "29% of the streams were busy"


def test_a_stream_is_busy_until_the_whole_response_is_there() -> None:
    """Each answer ends 0.1 s before its response does."""
    records = []
    for number in range(9):
        answer = ChatAnswer(0.5 * number, "tea", [0.5 * number + 0.1], 0.5 * number + 0.4, "stop", 11)
        records.append(RequestRecord(number, 0.5 * number, number > 0, answer))
    assert "were busy" in why_unsteady(records, 1)
    for record in records:
        record.last_byte = record.answer.sent + 0.5
    assert why_unsteady(records, 1) == ""


def test_nothing_counted_is_not_steady() -> None:
    assert why_unsteady(stream(0.0, 1), 1) == "no request was counted"
