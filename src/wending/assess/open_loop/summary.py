"""What became of the requests of an open loop, each figure with its count and interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wending.assess.load.drive import Drive
from wending.assess.load.generator import LoadResult
from wending.assess.load.objective import Objective
from wending.assess.load.record import RequestRecord
from wending.assess.open_loop.offered import Offered
from wending.assess.rate import rate
from wending.assess.run_record import rounded
from wending.assess.stats import median, quantile, quantile_bounds

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
COLUMNS = (
    "number", "kind", "intended_s", "sent_s", "first_token_s", "ended_s", "ttft_s", "tokens_per_s",
    "prompt_tokens", "tokens", "finish_reason", "valid", "good", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenLoopSummary:
    """`start` is the monotonic time at which the schedule began."""

    offered: Sequence[Offered]
    result: LoadResult
    objective: Objective
    start: float

    def is_valid(self, record: RequestRecord) -> bool:
        over = record.failure is None and record.answer.finish_reason is not None
        return over and self.offered[record.number].is_valid(record.answer.text)

    def is_good(self, record: RequestRecord) -> bool:
        """Valid, with its first token in time, and at the wanted speed where it has one.

        The time to the first token is counted from when the request was due: a queue in front of the
        endpoint is part of what its user waits for.
        """
        answer = record.answer
        if not self.is_valid(record) or not answer.content_times:
            return False
        speed = answer.tokens_per_s
        return answer.content_times[0] - record.intended <= self.objective.max_ttft_s and (
            speed is None or speed >= self.objective.min_tokens_per_s
        )

    def to_json(self) -> dict[str, Any]:
        records = self.result.records
        answered = [record for record in records if record.failure is None and record.is_over]
        last = max((one.arrival_s for one in self.offered), default=0.0)
        drive = Drive.of([record.lag_s for record in records], self.result.loop_lags)
        fault = drive.fault(self.objective.max_ttft_s)
        took = max((record.last_s for record in records), default=self.start) - self.start
        tokens = sum(record.answer.tokens for record in records)
        prompts = [
            (offered.tokens, record.answer.prompt_tokens)
            for record in answered
            for offered in [self.offered[record.number]]
            if offered.tokens is not None and record.answer.prompt_tokens is not None
        ]
        return {
            "requests": len(records),
            "offered_s": rounded(last),
            "took_s": rounded(took),
            "offered_per_s": rounded(len(self.offered) / last) if last else None,
            "tokens_per_s": rounded(tokens / took) if took > 0 else None,
            "most_at_once": _most_at_once(records),
            "failed": rate(sum(record.failure is not None for record in records), len(records)),
            "errors": dict(Counter(record.failure.kind for record in records if record.failure is not None)),
            "valid": rate(sum(map(self.is_valid, records)), len(records)),
            "goodput": rate(sum(map(self.is_good, records)), len(records)),
            "ttft_s": _distribution([one.answer.ttft_s for one in answered]),
            "stream_tokens_per_s": _distribution(
                [one.answer.tokens_per_s for one in answered], slow_end=True
            ),
            "answer_s": _distribution([one.last_s - one.answer.sent for one in answered]),
            "prompt_tokens": None if not prompts else {
                "wanted": sum(wanted for wanted, _ in prompts), "had": sum(had for _, had in prompts)
            },
            "generator": {
                "send_lag_s": rounded(drive.send_lag_s),
                "loop_lag_s": rounded(drive.loop_lag_s),
                "invalid": None if fault is None else str(fault),
            },
        }  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One for each request, in the order of COLUMNS; times in seconds after the start."""
        return [self._row(record) for record in sorted(self.result.records, key=lambda one: one.number)]

    def _row(self, record: RequestRecord) -> tuple[Any, ...]:
        answer = record.answer
        first = answer.content_times[0] - self.start if answer.content_times else None
        ended = None if answer.ended is None else answer.ended - self.start
        times = (record.intended - self.start, answer.sent - self.start, first, ended, answer.ttft_s)
        return (
            record.number,
            self.offered[record.number].kind,
            *map(rounded, times),
            rounded(answer.tokens_per_s),
            answer.prompt_tokens,
            answer.tokens,
            answer.finish_reason,
            self.is_valid(record),
            self.is_good(record),
            None if record.failure is None else record.failure.en,
        )


def _distribution(values: Sequence[float | None], *, slow_end: bool = False) -> dict[str, Any]:
    """Quantiles with their bounds, each null where the count does not carry it; of speeds those of the slow
    end, 1 - p."""
    known = [value for value in values if value is not None]
    found: dict[str, Any] = {"n": len(known)}
    for name, probability in QUANTILES.items():
        p = 1 - probability if slow_end else probability
        bounds = quantile_bounds(known, p) if known else None
        value = median(known) if p == 0.5 else quantile(known, p)
        low, high = (None, None) if bounds is None else map(rounded, bounds)
        key = f"p{100 * p:02.0f}" if slow_end else name
        found[key] = {"value": rounded(value), "low": low, "high": high}
    return found


def _most_at_once(records: Sequence[RequestRecord]) -> int:
    changes = [(record.answer.sent, 1) for record in records] + [(record.last_s, -1) for record in records]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most
