"""Measures one level: sends its load, counts while it runs, and ends it as soon as its verdict is known."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wending.assess.load.generator import LoadGenerator, LoadResult, Watcher
from wending.assess.load.level import Alone, Counts, Level, judge_level
from wending.assess.load.objective import Objective
from wending.assess.load.plan import Closed, LoadPlan
from wending.assess.load.record import RequestRecord

STEADY_REQUESTS = 20
"""Counted requests of a steady level: the fewest that carry a 95 % quantile."""
FEWEST_REQUESTS = 4
"""Counted requests of a level, where there is little time."""
QUICK_RAMP = 0.25
"""The part of an answer's time over which the streams of such a level begin: one with a single round of
requests would otherwise be over before all its streams run."""
TIMER_S = 0.005
"""Timers may fire a little early."""
SETTLE_S = 0.2
"""After a level was cut off the endpoint has so long to notice that its clients are gone."""
LEAD_S = 0.03
"""From giving a plan to the generator to its start."""
SPARE_REQUESTS = 3
"""Of each stream, to keep the load up until the last counted request is over."""


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """How a level of `concurrency` streams is measured when an answer takes `answer_s` there.

    A steady one has streams that begin spread over the time of an answer, a first request of each that is not
    counted, and requests that keep the load up to the end. One that is not has a single round of requests.
    """

    concurrency: int
    steady: bool
    alone_s: float
    """How long an answer takes one stream alone."""
    answer_s: float

    @property
    def counted(self) -> int:
        """Counted requests of each stream."""
        return math.ceil((STEADY_REQUESTS if self.steady else FEWEST_REQUESTS) / self.concurrency)

    @property
    def requests(self) -> int:
        """Counted requests of all streams."""
        return self.counted * self.concurrency

    @property
    def ramp_s(self) -> float:
        """The streams begin one after the other, as they would be found at any other moment: requests that
        start together also end together, and start together again."""
        return self.alone_s if self.steady else QUICK_RAMP * self.alone_s

    @property
    def expected_s(self) -> float:
        """How long it takes: the counted requests, for a steady level also those before and after."""
        rounds = self.counted + (2 if self.steady else 0)
        return self.ramp_s + rounds * self.answer_s

    @property
    def schedule(self) -> Closed:
        starts = tuple(self.ramp_s * stream / self.concurrency for stream in range(self.concurrency))
        return Closed(starts, warm=int(self.steady), counted=self.counted, fill=self.steady)

    @property
    def bodies(self) -> int:
        return self.concurrency * (self.counted + (1 + SPARE_REQUESTS if self.steady else 0))


class LevelMeter:
    """Measures levels of one kind of request. `bodies(count)` gives so many requests, never one twice;
    `is_valid(number, record)` judges the answer to the `number`-th of all it gave."""

    def __init__(
        self,
        generator: LoadGenerator,
        base_url: str,
        headers: dict[str, str],
        bodies: Callable[[int], tuple[int, Sequence[bytes]]],
        is_valid: Callable[[int, RequestRecord], bool],
        objective: Objective,
    ) -> None:
        self._generator = generator
        self._base_url = base_url
        self._headers = headers
        self._bodies = bodies
        self._is_valid = is_valid
        self._objective = objective

    async def measure(self, plan: LevelPlan, limit_s: float, alone: Alone) -> Level | None:
        """None when it is not through after `limit_s` seconds and its verdict is not known.

        Raises EndpointError when every request failed: that is no limit of capacity but a dead endpoint.
        """
        first, bodies = self._bodies(plan.bodies)
        watcher = _LevelWatcher(Counts(self._objective, plan.requests))
        timer = asyncio.get_running_loop().call_later(max(limit_s, 0.1), watcher.time_is_up)
        try:
            result = await self._generator.run(self._load(plan, bodies), watcher)
        finally:
            timer.cancel()
        if watcher.cut_at is not None:
            await asyncio.sleep(SETTLE_S)
            if not watcher.counts.is_lost:
                return None
        _raise_if_dead(result)
        return judge_level(
            plan.concurrency,
            plan.requests,
            result.records,
            result.loop_lags,
            self._objective,
            is_valid=lambda record: self._is_valid(first + record.number, record),
            alone=alone,
            steady=plan.steady,
            cut_at=watcher.cut_at,
        )

    def _load(self, plan: LevelPlan, bodies: Sequence[bytes]) -> LoadPlan:
        return LoadPlan(
            base_url=self._base_url,
            headers=self._headers,
            bodies=tuple(bodies),
            schedule=plan.schedule,
            start=time.monotonic() + LEAD_S,
            patience_s=self._objective.max_ttft_s + TIMER_S,
        )


class _LevelWatcher(Watcher):
    """Counts requests as they end, and those whose first token does not come; ends what has failed."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.cut_at: float | None = None
        self._overdue: set[int] = set()

    def on_record(self, record: RequestRecord) -> None:
        if not record.counted or not record.is_over or record.failure is not None:
            return
        ttft, speed = record.answer.ttft_s, record.answer.tokens_per_s
        objective = self.counts.objective
        if ttft is not None and ttft > objective.max_ttft_s and record.number not in self._overdue:
            self.counts.late += 1
        if speed is not None and speed < objective.min_tokens_per_s:
            self.counts.slow += 1
        self._end_if_lost()

    def on_overdue(self, number: int) -> None:
        self._overdue.add(number)
        self.counts.late += 1
        self._end_if_lost()

    def time_is_up(self) -> None:
        if self.cut_at is None:
            self._cut()

    def _end_if_lost(self) -> None:
        if self.cut_at is None and self.counts.is_lost:
            self._cut()

    def _cut(self) -> None:
        self.cut_at = time.monotonic()
        self.stop(True)


def _raise_if_dead(result: LoadResult) -> None:
    failures = [record.failure for record in result.records if record.failure is not None]
    if failures and not any(record.answer.content_times for record in result.records):
        raise failures[-1].as_error()
