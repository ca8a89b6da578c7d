"""Which requests are counted, and which of them failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.assess.load.test_level import GONE, judge, many, record

from wending.assess.failed_requests import failed_requests_json
from wending.assess.load.level import Level
from wending.assess.load.search import Capacity
from wending.assess.performance import RequestTypePerformance
from wending.assess.run_record import RunRecord


def run(answers: int, error: str | None = None) -> RunRecord:
    return RunRecord("S", "item", 1, 1, error is None, answers=("x",) * answers, error=error)


def counts(found: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {part: (rate["k"], rate["n"]) for part, rate in found.items()}


def performance(*levels: Level) -> list[RequestTypePerformance]:
    return [RequestTypePerformance("short", 96, capacity=Capacity(levels=list(levels)))]


def test_every_turn_is_a_request_and_a_run_ends_with_the_one_that_fails() -> None:
    found = failed_requests_json([run(16), run(3, "gone"), run(0, "gone")], [run(1), run(0, "gone")], [])
    assert counts(found) == {
        "scenarios": (2, 21), "agreement": (1, 2), "performance": (0, 0), "all": (3, 23),
    }  # fmt: skip
    assert found["performance"]["high"] is None


def test_levels_beyond_the_capacity_fail_on_purpose() -> None:
    held = judge([*many(99), record(99, failure=GONE)])
    failed = judge([*many(6), record(6, failure=GONE)])
    assert (held.held, failed.held) == (True, False)
    assert counts(failed_requests_json([], [], performance(held, failed)))["all"] == (1, 100)


def test_one_stream_alone_counts_in_any_case() -> None:
    level = judge([*many(6), record(6, failure=GONE)])
    assert counts(failed_requests_json([], [], performance(replace(level, concurrency=1))))["all"] == (1, 7)
