"""The figures of an open loop, from records with known times."""

from __future__ import annotations

import pytest

from wending.assess.chat_answer import ChatAnswer
from wending.assess.load.generator import LoadResult
from wending.assess.load.objective import Objective
from wending.assess.load.record import Failure, RequestRecord
from wending.assess.open_loop.offered import Offered
from wending.assess.open_loop.summary import COLUMNS, OpenLoopSummary

START = 100.0


def offered(number: int) -> Offered:
    return Offered(float(number), "short", f"prompt {number}", 20, 40, bool)


def answered(number: int, ttft: float, token_s: float = 0.01, sent_late: float = 0.0) -> RequestRecord:
    due = START + number
    sent = due + sent_late
    answer = ChatAnswer(sent, usage_tokens=11, prompt_tokens=44, finish_reason="stop")
    for token in range(11):
        answer.add_content("a", sent + ttft + token * token_s)
    answer.ended = answer.content_times[-1]
    return RequestRecord(number, due, True, answer)


def summary(*records: RequestRecord, objective: Objective | None = None) -> OpenLoopSummary:
    places = [offered(number) for number in range(max(record.number for record in records) + 1)]
    return OpenLoopSummary(places, LoadResult(list(records), [0.001]), objective or Objective(), START)


def test_goodput_counts_what_is_valid_and_in_time_over_all_attempts() -> None:
    failure = Failure("http_status", "HTTP 500", "HTTP 500", 500)
    refused = RequestRecord(3, START + 3, True, ChatAnswer(START + 3), failure)
    found = summary(answered(0, 0.1), answered(1, 2.5), answered(2, 0.1, token_s=0.2), refused).to_json()
    assert (found["goodput"]["k"], found["goodput"]["n"]) == (1, 4)
    assert found["valid"]["k"] == 3
    assert (found["failed"]["k"], found["errors"]) == (1, {"http_status": 1})
    assert found["prompt_tokens"] == {"wanted": 120, "had": 132}


def test_the_first_token_is_late_from_when_the_request_was_due() -> None:
    found = summary(answered(0, 1.5, sent_late=0.8))
    assert not found.is_good(found.result.records[0])
    assert found.to_json()["ttft_s"]["p50"]["value"] == pytest.approx(1.5)


def test_quantiles_that_the_count_cannot_carry_are_not_given() -> None:
    few = summary(*(answered(number, 0.1 + number / 100) for number in range(10))).to_json()["ttft_s"]
    assert few["p50"]["low"] is not None
    assert few["p95"] == {"value": None, "low": None, "high": None}
    many = summary(*(answered(number, 0.1 + number / 1000) for number in range(120))).to_json()["ttft_s"]
    assert many["p95"]["low"] < many["p95"]["value"] < many["p95"]["high"]


def test_a_generator_that_was_late_is_told() -> None:
    found = summary(*(answered(number, 0.1, sent_late=0.5) for number in range(5))).to_json()
    assert "500 ms late" in found["generator"]["invalid"]


def test_every_request_has_a_row_with_its_times() -> None:
    [row] = summary(answered(0, 0.25)).rows()
    named = dict(zip(COLUMNS, row, strict=True))
    assert (named["intended_s"], named["first_token_s"], named["ended_s"]) == pytest.approx((0.0, 0.25, 0.35))
    assert (named["valid"], named["good"], named["error"]) == (True, True, None)
    assert summary(answered(0, 0.25), answered(1, 0.25)).to_json()["most_at_once"] == 1
