"""How many of the requests that an assessment made failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wending.assess.load.level import Level
from wending.assess.performance import RequestTypePerformance
from wending.assess.rate import rate
from wending.assess.run_record import RunRecord


def failed_requests_json(
    records: Sequence[RunRecord],
    agreement_records: Sequence[RunRecord],
    performance: Sequence[RequestTypePerformance],
) -> dict[str, Any]:
    """Rates of failed requests: of the scenarios (each turn of a conversation is a request), of agreement, of
    performance, and of all of them.

    Of performance those of one stream alone count, and those of levels that held: a level above the capacity
    fails on purpose. Requests that ask what an endpoint offers or that make faults are not among them.
    """
    counts = {
        "scenarios": _of_runs(records),
        "agreement": _of_runs(agreement_records),
        "performance": _of_levels(_usual_levels(performance)),
    }
    counts["all"] = _sum(counts.values())
    return {part: rate(failed, asked) for part, (failed, asked) in counts.items()}


def _of_runs(records: Sequence[RunRecord]) -> tuple[int, int]:
    """A run ends with its first request that fails."""
    failed = sum(run.error is not None for run in records)
    return failed, failed + sum(len(run.answers) for run in records)


def _usual_levels(performance: Sequence[RequestTypePerformance]) -> list[Level]:
    levels = [level for result in performance if result.capacity for level in result.capacity.levels]
    return [level for level in levels if level.held or level.concurrency == 1]


def _of_levels(levels: Iterable[Level]) -> tuple[int, int]:
    return _sum((level.errors, level.requests) for level in levels)


def _sum(counts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    found = list(counts)
    return sum(failed for failed, _ in found), sum(asked for _, asked in found)
