"""How fast an endpoint answers: one stream alone, then as many at once as keep the objective.

See docs/load.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError, Unauthorized
from wending.assess.load.calibration import Calibration, calibrated
from wending.assess.load.generator import LoadGenerator, LoadResult, Watcher
from wending.assess.load.level import Alone, Level, judge_level
from wending.assess.load.meter import LEAD_S, LevelMeter, LevelPlan
from wending.assess.load.objective import Objective
from wending.assess.load.plan import Closed, LoadPlan
from wending.assess.load.record import RequestRecord
from wending.assess.load.search import CAP, CONFIRMATIONS, Capacity, find_capacity
from wending.assess.load.steady import SHORT, why_unsteady
from wending.assess.outcomes import Outcomes
from wending.assess.performance_requests import (
    LONG_ANSWER_TOKENS,
    REQUEST_TYPES,
    RequestType,
    RequestTypeName,
)
from wending.assess.seeds import derive_seed
from wending.assess.stats import median

SINGLE_STREAM_REQUESTS = 20
"""Requests of one stream alone when time allows: the fewest that carry a 95 % quantile."""
SINGLE_STREAM_MINIMUM = 3
"""Requests of one stream alone however slow the endpoint is."""
SINGLE_STREAM_SHARE = 0.45
"""Part of a request type's time that one stream alone may take."""
SEARCH_SHARE = 0.8
"""Part of it at which the search for the highest concurrency must end, so that some is left to confirm it."""
STEADY_PARTS = 6
"""A level of the search is measured in its steady state when that, and measuring it again if it was not
steady, takes no more than so large a part of the time that is left: about as many levels follow."""
SLOW_ENDPOINT_FACTOR = 6
"""A type gets at least the time of so many requests: enough to say something of slow endpoints."""
CONSECUTIVE_ERRORS = 3
"""So many failed requests in a row end the measurement."""
TOO_MANY_REQUESTS = 429
CALIBRATION_SHARE = 0.02
"""Part of the whole time in which the generator is measured, one second at most."""
SHORTEST_CALIBRATION_S = 0.2

Step = Literal["warm_up", "one_stream", "at_once", "confirming"]


@dataclass(slots=True)
class RequestTypePerformance:
    """What was measured for one request type."""

    request_type: RequestTypeName
    max_tokens: int
    single_stream: Outcomes = field(default_factory=Outcomes)
    capacity: Capacity | None = None

    @property
    def shorter_than_meant(self) -> bool:
        """True for "long" when the median answer ended at 500 tokens or before."""
        typical = median(self.single_stream.token_counts)
        return self.request_type == "long" and typical is not None and typical <= LONG_ANSWER_TOKENS


class PerformanceMeasurement:
    """Measures all request types within about `seconds`; `results` grows, so a break keeps what was done.

    `progress` hears (request type, step, its number, share of the whole that is done); the number is that
    of the request for "one_stream", of the confirmation for "confirming", and the concurrency for "at_once".
    """

    def __init__(
        self,
        client: EndpointClient,
        *,
        seconds: float,
        seed: int,
        temperature: float,
        top_p: float,
        objective: Objective,
        progress: Callable[[RequestTypeName, Step, int, float], None],
        cap: int = CAP,
    ) -> None:
        self.results: list[RequestTypePerformance] = []
        self.calibration: Calibration | None = None
        """What the load generator adds to the times, as measured beforehand."""
        self.sent_again = 0
        """Requests of the load generator that went out a second time; see RequestRecord."""
        self._client = client
        self._seconds = seconds
        self._seed = seed
        self._temperature = temperature
        self._top_p = top_p
        self._objective = objective
        self._progress = progress
        self._cap = cap
        self._prompts = 0

    async def run(self) -> None:
        """Raises EndpointError when the endpoint fails several requests in a row, and GeneratorError."""
        done, deadline = 0.0, time.monotonic() + self._seconds
        seconds = max(min(CALIBRATION_SHARE * self._seconds, 1.0), SHORTEST_CALIBRATION_S)
        self.calibration = await calibrated(self._cap, seconds)
        async with LoadGenerator(self.calibration.processes) as generator:
            try:
                for request_type in REQUEST_TYPES:
                    result = RequestTypePerformance(request_type.name, request_type.max_tokens)
                    self.results.append(result)
                    # What one type leaves over is shared out among those that follow.
                    budget = max(0.0, deadline - time.monotonic()) * request_type.share / (1.0 - done)
                    await self._measure_type(generator, request_type, result, budget, done)
                    done += request_type.share
            finally:
                self.sent_again = generator.sent_again

    async def _measure_type(
        self,
        generator: LoadGenerator,
        request_type: RequestType,
        result: RequestTypePerformance,
        budget: float,
        done: float,
    ) -> None:
        self._progress(request_type.name, "warm_up", 0, done)
        await self._warm_up(request_type)
        started = time.monotonic()
        first, alone = await self._single_stream(
            generator, request_type, result, budget * SINGLE_STREAM_SHARE, done
        )
        alone_s = first.answer_s or first.seconds / max(first.requests, 1)
        budget = max(budget, SLOW_ENDPOINT_FACTOR * alone_s)
        meter = LevelMeter(
            generator,
            self._client.base_url,
            self._client.headers,
            lambda count: self._bodies(request_type, count),
            lambda number, record: request_type.is_valid(number, record.answer.text),
            self._objective,
        )
        confirmations = 0
        last = (1, alone_s)

        async def measure(concurrency: int, confirming: bool) -> Level | None:
            """Steady where there is time for that, otherwise one round of requests, otherwise None."""
            nonlocal last, confirmations
            confirmations = confirmations + 1 if confirming else 0
            elapsed = min(1.0, (time.monotonic() - started) / budget)
            self._progress(
                request_type.name,
                "confirming" if confirming else "at_once",
                confirmations if confirming else concurrency,
                done + request_type.share * elapsed,
            )
            left = started + budget * (1.0 if confirming else SEARCH_SHARE) - time.monotonic()
            plan = LevelPlan.after(last, concurrency, alone_s)
            parts = max(CONFIRMATIONS + 1 - confirmations, 1) if confirming else STEADY_PARTS
            if plan.expected_s > left / parts:
                plan = replace(plan, steady=False)
            if plan.expected_s > left:
                return None
            limit_s = started + 1.5 * budget - time.monotonic()
            level = await meter.measure_steady(plan, limit_s, left / parts - plan.expected_s, alone)
            if level is not None and level.answer_s is not None:
                last = (concurrency, level.answer_s)
            return level

        result.capacity = await find_capacity(first, measure, self._cap)

    async def _warm_up(self, request_type: RequestType) -> None:
        """By the client of the scenarios, which finds out what fields the endpoint refuses."""
        number = self._take_prompts(1)
        await self._client.chat(
            _messages(request_type, number),
            max_tokens=request_type.max_tokens,
            temperature=self._temperature,
            top_p=self._top_p,
            seed=self._seed_of(request_type, number),
        )

    async def _single_stream(
        self,
        generator: LoadGenerator,
        request_type: RequestType,
        result: RequestTypePerformance,
        seconds: float,
        done: float,
    ) -> tuple[Level, Alone]:
        """Requests one after the other, until there are enough or the time is up."""

        def report(count: int) -> None:
            share = request_type.share * SINGLE_STREAM_SHARE * count / SINGLE_STREAM_REQUESTS
            self._progress(request_type.name, "one_stream", count + 1, done + share)

        number, bodies = self._bodies(request_type, SINGLE_STREAM_REQUESTS)
        watcher = _SingleStreamWatcher(result.single_stream, time.monotonic() + seconds, report)
        plan = LoadPlan(
            base_url=self._client.base_url,
            headers=self._client.headers,
            bodies=tuple(bodies),
            schedule=Closed((0.0,), warm=0, counted=len(bodies), fill=False),
            start=time.monotonic() + LEAD_S,
            patience_s=self._objective.max_ttft_s,
        )
        report(0)
        loaded = await generator.run(plan, watcher)
        if watcher.fatal is not None:
            raise watcher.fatal

        def is_valid(record: RequestRecord) -> bool:
            return request_type.is_valid(number + record.number, record.answer.text)

        level = _one_stream(loaded, self._objective, is_valid)
        return level, Alone(level.valid, level.requests - level.errors)

    def _bodies(self, request_type: RequestType, count: int) -> tuple[int, list[bytes]]:
        """The number of the first prompt, and so many requests that were never sent before."""
        first = self._take_prompts(count)
        return first, [self._body(request_type, number) for number in range(first, first + count)]

    def _take_prompts(self, count: int) -> int:
        first, self._prompts = self._prompts, self._prompts + count
        return first

    def _body(self, request_type: RequestType, number: int) -> bytes:
        body: dict[str, Any] = {
            "model": self._client.model,
            "messages": _messages(request_type, number),
            "max_tokens": request_type.max_tokens,
            "temperature": self._temperature,
            "top_p": self._top_p,
            "seed": self._seed_of(request_type, number),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return orjson.dumps(self._client.as_taken(body))

    def _seed_of(self, request_type: RequestType, number: int) -> int:
        return derive_seed(self._seed, "performance", request_type.name, number)


class _SingleStreamWatcher(Watcher):
    """Keeps what comes, and ends the stream when its time is up or the endpoint keeps failing."""

    def __init__(self, outcomes: Outcomes, deadline: float, report: Callable[[int], None]) -> None:
        self.fatal: EndpointError | None = None
        self._outcomes = outcomes
        self._deadline = deadline
        self._report = report
        self._errors_in_a_row = 0

    def on_record(self, record: RequestRecord) -> None:
        if not record.is_over or self.fatal is not None:
            return
        if record.failure is None:
            self._outcomes.answers.append(record.answer)
            self._errors_in_a_row = 0
        else:
            error = record.failure.as_error()
            self._outcomes.errors.append(error)
            self._errors_in_a_row += 1
            if record.failure.status == TOO_MANY_REQUESTS and self._errors_in_a_row >= CONSECUTIVE_ERRORS:
                self.stop(True)  # it lives, and one stream is more than it lets in
                return
            if self._errors_in_a_row >= CONSECUTIVE_ERRORS or isinstance(error, Unauthorized):
                self.fatal = error
                self.stop(True)
                return
        self._report(self._outcomes.requests)
        if time.monotonic() > self._deadline and self._outcomes.requests >= SINGLE_STREAM_MINIMUM:
            self.stop(False)


def _one_stream(loaded: LoadResult, objective: Objective, is_valid: Callable[[RequestRecord], bool]) -> Level:
    """One stream alone, as the lowest level of the search."""
    records = [record for record in loaded.records if record.is_over]
    return judge_level(
        1,
        len(records),
        records,
        loaded.loop_lags,
        objective,
        is_valid=is_valid,
        unsteady=why_unsteady(records, 1) if len(records) >= SINGLE_STREAM_REQUESTS else SHORT,
    )


def _messages(request_type: RequestType, number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": request_type.prompt(number)}]
