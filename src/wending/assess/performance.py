"""How fast an endpoint answers: one stream alone, then as many at once as keep the objective.

The requests of a level start together, which is the hardest case for the first token. See docs/report-
format.md.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from wending.assess.capacity import Capacity, Level, Objective, find_capacity, judge_level, requests_of
from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError, Unauthorized
from wending.assess.outcomes import Outcomes
from wending.assess.performance_requests import (
    LONG_ANSWER_TOKENS,
    REQUEST_TYPES,
    RequestType,
    RequestTypeName,
)
from wending.assess.seeds import derive_seed
from wending.assess.stats import median, quantile

SINGLE_STREAM_REQUESTS = 20
"""Requests of one stream alone when time allows: the fewest that carry a 95 % quantile."""
SINGLE_STREAM_MINIMUM = 3
"""Requests of one stream alone however slow the endpoint is."""
SINGLE_STREAM_SHARE = 0.45
"""Part of a request type's time that one stream alone may take."""
SLOW_ENDPOINT_FACTOR = 6
"""A type gets at least the time of so many requests: enough to say something of slow endpoints."""
CONSECUTIVE_ERRORS = 3
"""So many failed requests in a row end the measurement."""

Step = Literal["warm_up", "one_stream", "at_once"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Median and 95 % quantile of n values; None where the count does not carry them."""

    p50: float | None
    p95: float | None
    n: int


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


def distribution(values: Sequence[float]) -> Distribution:
    return Distribution(median(values), quantile(values, 0.95), len(values))


class PerformanceMeasurement:
    """Measures all request types within about `seconds`; `results` grows, so a break keeps what was done.

    `progress` hears (request type, step, its number, share of the whole that is done); the number is that
    of the request for "one_stream" and the concurrency for "at_once".
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
    ) -> None:
        self.results: list[RequestTypePerformance] = []
        self._client = client
        self._seconds = seconds
        self._seed = seed
        self._temperature = temperature
        self._top_p = top_p
        self._objective = objective
        self._progress = progress
        self._prompts = 0

    async def run(self) -> None:
        """Raises EndpointError when the endpoint fails several requests in a row."""
        done, deadline = 0.0, time.monotonic() + self._seconds
        for request_type in REQUEST_TYPES:
            result = RequestTypePerformance(request_type.name, request_type.max_tokens)
            self.results.append(result)
            # What one type leaves over is shared out among those that follow.
            budget = max(0.0, deadline - time.monotonic()) * request_type.share / (1.0 - done)
            await self._measure_type(request_type, result, budget, done)
            done += request_type.share

    async def _measure_type(
        self, request_type: RequestType, result: RequestTypePerformance, budget: float, done: float
    ) -> None:
        self._progress(request_type.name, "warm_up", 0, done)
        await self._request(request_type)
        started = time.monotonic()
        first = await self._single_stream(request_type, result, budget * SINGLE_STREAM_SHARE, done)
        budget = max(budget, SLOW_ENDPOINT_FACTOR * first.seconds / first.requests)

        async def measure(concurrency: int) -> Level | None:
            elapsed = min(1.0, (time.monotonic() - started) / budget)
            self._progress(request_type.name, "at_once", concurrency, done + request_type.share * elapsed)
            limit = started + 1.5 * budget - time.monotonic()
            return await self._level(request_type, concurrency, limit)

        result.capacity = await find_capacity(first, measure, lambda: started + budget - time.monotonic())

    async def _single_stream(
        self, request_type: RequestType, result: RequestTypePerformance, seconds: float, done: float
    ) -> Level:
        """Requests one after the other, until there are enough or the time is up."""
        outcomes, started, errors_in_a_row = result.single_stream, time.monotonic(), 0
        while (count := outcomes.requests) < SINGLE_STREAM_REQUESTS:
            if time.monotonic() - started > seconds and count >= SINGLE_STREAM_MINIMUM:
                break
            share = request_type.share * SINGLE_STREAM_SHARE * count / SINGLE_STREAM_REQUESTS
            self._progress(request_type.name, "one_stream", count + 1, done + share)
            try:
                outcomes.answers.append(await self._request(request_type))
                errors_in_a_row = 0
            except EndpointError as error:
                outcomes.errors.append(error)
                errors_in_a_row += 1
                if errors_in_a_row >= CONSECUTIVE_ERRORS or isinstance(error, Unauthorized):
                    raise
        return judge_level(1, time.monotonic() - started, outcomes, self._objective)

    async def _level(self, request_type: RequestType, concurrency: int, limit: float) -> Level | None:
        """`concurrency` streams that start together; None when they are not through after `limit` seconds.

        Raises EndpointError when every request failed: that is no limit of capacity but a dead endpoint.
        """
        outcomes = Outcomes()
        left = requests_of(concurrency)

        async def stream() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                try:
                    outcomes.answers.append(await self._request(request_type))
                except EndpointError as error:
                    outcomes.errors.append(error)

        started = time.monotonic()
        tasks = [asyncio.create_task(stream()) for _ in range(concurrency)]
        try:
            _, pending = await asyncio.wait(tasks, timeout=max(limit, 0.1))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if pending:
            return None
        if outcomes.errors and not outcomes.answers:
            raise outcomes.errors[-1]
        return judge_level(concurrency, time.monotonic() - started, outcomes, self._objective)

    async def _request(self, request_type: RequestType) -> ChatAnswer:
        number, self._prompts = self._prompts, self._prompts + 1
        return await self._client.chat(
            [{"role": "user", "content": request_type.prompt(number)}],
            max_tokens=request_type.max_tokens,
            temperature=self._temperature,
            top_p=self._top_p,
            seed=derive_seed(self._seed, "performance", request_type.name, number),
        )
