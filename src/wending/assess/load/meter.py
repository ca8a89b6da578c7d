"""Measures one level: sends its load, counts while it runs, and ends it as soon as its verdict is known."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from wending.assess.load.generator import LoadGenerator, Watcher
from wending.assess.load.level import Alone, Level, judge_level
from wending.assess.load.objective import Objective
from wending.assess.load.plan import Closed, LoadPlan
from wending.assess.load.record import RequestRecord
from wending.assess.load.steady import SHORT, why_unsteady

STEADY_REQUESTS = 20
"""Counted requests of a steady level: the fewest that carry a 95 % quantile."""
FEWEST_REQUESTS = 4
"""Counted requests of a level, where there is little time."""
LONGER = 2
"""So many times as many counted requests has a level that is measured again because it was not steady."""
QUICK_RAMP = 0.25
"""The part of an answer's time over which the streams of such a level begin: one with a single round of
requests would otherwise be over before all its streams run."""
SLOWER_WHEN_DOUBLED = 1.5
"""How much longer an answer is taken to need among twice as many streams."""
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
    """How a level of `concurrency` streams is measured when an answer takes `least_s` to `answer_s` there.

    A steady one has streams that begin spread over the time of an answer, a first request of each that is not
    counted, and requests that keep the load up to the end. One that is not has a single round of requests.
    """

    concurrency: int
    steady: bool
    least_s: float
    answer_s: float
    times: int = 1
    """So many times as many counted requests as usual."""

    @classmethod
    def after(cls, last: tuple[int, float], concurrency: int, alone_s: float) -> LevelPlan:
        """A steady one, when an answer took `last[1]` seconds among `last[0]` streams and `alone_s` alone."""
        streams, took_s = last
        growth = max(concurrency / streams - 1.0, 0.0)
        # Where streams only wait for each other, an answer's time falls as their number does, and no faster.
        least_s = max(took_s * min(concurrency / streams, 1.0), alone_s)
        return cls(concurrency, True, least_s, took_s * (1.0 + (SLOWER_WHEN_DOUBLED - 1.0) * growth))

    @property
    def counted(self) -> int:
        """Counted requests of each stream."""
        fewest = STEADY_REQUESTS if self.steady else FEWEST_REQUESTS
        return self.times * math.ceil(fewest / self.concurrency)

    @property
    def requests(self) -> int:
        """Counted requests of all streams."""
        return self.counted * self.concurrency

    @property
    def ramp_s(self) -> float:
        """The streams begin one after the other, as they would be found at any other moment: requests that
        start together also end together, and start together again. Spread over less than an answer's time
        they would leave a gap, after which each time a queue is longer than it is on average; over more, some
        would be counted before all run."""
        return self.least_s if self.steady else QUICK_RAMP * self.least_s

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
        watcher = _LevelWatcher(self._objective, plan.requests)
        timer = asyncio.get_running_loop().call_later(max(limit_s, 0.1), watcher.time_is_up)
        try:
            result = await self._generator.run(self._load(plan, bodies), watcher)
        finally:
            timer.cancel()
        records, cut_at = result.records, watcher.cut_at
        if cut_at is not None:
            await asyncio.sleep(SETTLE_S)
            if not watcher.is_lost:
                records = _with_those_that_hang(records, cut_at, self._objective.max_ttft_s)
                hanging = sum(record.counted and not record.answer.content_times for record in records)
                if hanging <= self._objective.may_miss(plan.requests):
                    return None
        _raise_if_dead(records)
        return judge_level(
            plan.concurrency,
            plan.requests,
            records,
            result.loop_lags,
            self._objective,
            is_valid=lambda record: self._is_valid(first + record.number, record),
            alone=alone,
            unsteady=why_unsteady(records, plan.concurrency, cut_at) if plan.steady else SHORT,
            cut_at=cut_at,
        )

    async def measure_steady(
        self, plan: LevelPlan, limit_s: float, spare_s: float, alone: Alone
    ) -> Level | None:
        """The same; and once more, twice as long, where a level that was to be steady ran to its end and was
        not, if that takes no more than `spare_s`. Then the second measurement stands."""
        end = time.monotonic() + limit_s
        level = await self.measure(plan, limit_s, alone)
        if level is None or not plan.steady or level.steady or level.decided_early or level.invalid:
            return level
        answer_s = level.answer_s or plan.answer_s
        longer = replace(plan, least_s=answer_s, answer_s=answer_s, times=LONGER)
        if longer.expected_s > spare_s:
            return level
        again = await self.measure(longer, end - time.monotonic(), alone)
        if again is None or again.invalid:
            return level
        return replace(again, measured_again=level.unsteady)

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
    """Counts what misses a limit while it happens, and ends a level as soon as it has failed."""

    def __init__(self, objective: Objective, planned: int) -> None:
        self.cut_at: float | None = None
        self._objective = objective
        self._planned = planned
        self._late: set[int] = set()
        self._slow = self._failed = 0
        self._answers = False

    def on_record(self, record: RequestRecord) -> None:
        if not record.counted or not record.is_over:
            return
        ttft, speed = record.answer.ttft_s, record.answer.tokens_per_s
        if record.failure is not None:
            self._failed += 1
        else:
            self._answers = True
            if ttft is not None and ttft > self._objective.max_ttft_s:
                self._late.add(record.number)
            if speed is not None and speed < self._objective.min_tokens_per_s:
                self._slow += 1
        self._end_if_lost()

    def on_overdue(self, number: int) -> None:
        self._late.add(number)
        self._end_if_lost()

    def time_is_up(self) -> None:
        if self.cut_at is None:
            self._cut()

    @property
    def is_lost(self) -> bool:
        """Whatever the rest of the requests does, the level has failed.

        Failures alone decide only where there are answers too: without any the endpoint may be dead, which is
        no matter of this level.
        """
        may_miss, may_fail = self._objective.may_miss(self._planned), self._objective.may_fail(self._planned)
        too_many_failed = self._failed > may_fail and self._answers
        return len(self._late) > may_miss or self._slow > may_miss or too_many_failed

    def _end_if_lost(self) -> None:
        if self.cut_at is None and self.is_lost:
            self._cut()

    def _cut(self) -> None:
        self.cut_at = time.monotonic()
        self.stop(True)


def _with_those_that_hang(
    records: Sequence[RequestRecord], cut_at: float, max_ttft_s: float
) -> list[RequestRecord]:
    """A request that only kept the load up counts, too, if it was left without a first token for too long."""
    return [
        msgspec.structs.replace(record, counted=True)
        if not record.is_over and not record.answer.content_times and cut_at - record.answer.sent > max_ttft_s
        else record
        for record in records
    ]


def _raise_if_dead(records: Sequence[RequestRecord]) -> None:
    """An endpoint that refuses for want of room lives, and one whose answers were waited for may."""
    failures = [record.failure for record in records if record.failure is not None]
    if failures and len(failures) == len(records) and not any(failure.is_refusal for failure in failures):
        raise failures[-1].as_error()
