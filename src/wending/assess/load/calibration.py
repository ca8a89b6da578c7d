"""What the generator itself adds to the times it measures, found out on a server that has none of its own.

The null server (wending.assess.scripted) writes into every token when it was sent, by the machine's monotonic
clock. What has passed until the generator noted the token's arrival is overhead: of the network of this
machine, of the server's write and, for the most part, of the generator's event loop.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from wending.assess.bilingual import Bilingual
from wending.assess.load.drive import Drive
from wending.assess.load.generator import GeneratorError, LoadGenerator
from wending.assess.load.plan import Closed, LoadPlan
from wending.assess.load.record import RequestRecord
from wending.assess.scripted import Script, ScriptedProcess
from wending.assess.stats import median, min_count, quantile

EVENTS_PER_S = 20.0
"""Of each stream."""
MOST_ERROR_S = 0.005
"""So many streams are sustained as keep the 99 % quantile of the error below this."""
LEAD_S = 0.1
CONNECTIONS_PER_S = 2000.0
"""More are not opened: that they are is no part of what is measured."""


@dataclass(frozen=True, slots=True)
class Step:
    """One number of streams, all processes together. Errors in seconds; None where the count is too small."""

    streams: int
    events: int
    error_p50_s: float | None
    error_p99_s: float | None
    send_lag_s: float
    loop_lag_s: float
    cpu_share: float
    """Of one core, of the busiest process."""

    @property
    def held(self) -> bool:
        return self.error_p99_s is not None and self.error_p99_s <= MOST_ERROR_S


@dataclass(frozen=True, slots=True)
class Calibration:
    """`sustained` streams a process were driven with a small error; more may be, if no step failed."""

    processes: int
    steps: tuple[Step, ...]

    @property
    def sustained(self) -> int:
        return max((step.streams // self.processes for step in self.steps if step.held), default=0)

    @property
    def at_least(self) -> bool:
        return all(step.held for step in self.steps)

    @property
    def best(self) -> Step:
        """The step whose errors are stated: the largest that held, or the smallest where none did."""
        held = [step for step in self.steps if step.held]
        return max(held, key=lambda step: step.streams) if held else self.steps[0]

    def to_json(self) -> dict[str, Any]:
        step = self.best
        return {
            "processes": self.processes,
            "streams": step.streams,
            "events_per_s": EVENTS_PER_S,
            "events": step.events,
            "error_p50_s": step.error_p50_s,
            "error_p99_s": step.error_p99_s,
            "sustained_streams_per_process": self.sustained,
            "at_least": self.at_least,
        }


def most_processes() -> int:
    """One core is left to the endpoint, or to the null server."""
    return max(len(os.sched_getaffinity(0)) - 1, 1)


async def calibrated(streams: int, seconds: float) -> Calibration:
    """With the fewest processes that drive so many streams; where none do, with as many as there may be.

    Each try takes about `seconds`, longer for few streams. Raises GeneratorError, and OSError when the null
    server does not start.
    """
    processes = 1
    while True:
        async with LoadGenerator(processes) as generator:
            found = await calibrate(generator, processes, [streams], seconds)
        if found.at_least or processes >= most_processes():
            return found
        processes = min(2 * processes, most_processes())


async def calibrate(
    generator: LoadGenerator, processes: int, streams: Sequence[int], seconds: float
) -> Calibration:
    """Drives the null server with rising numbers of streams, each for about `seconds`, until one fails.

    Few streams take longer: as many events are needed as carry a 99 % quantile.
    Raises GeneratorError, and OSError when the null server does not start.
    """
    tokens = max(int(seconds * EVENTS_PER_S), math.ceil(min_count(0.99) / min(streams)))
    script = Script(clock=True, ttft_s=1 / EVENTS_PER_S, token_s=1 / EVENTS_PER_S, tokens=tokens)
    steps: list[Step] = []
    async with ScriptedProcess(script) as server:
        for number in streams:
            steps.append(await _step(generator, server.base_url, number, tokens))
            if not steps[-1].held:
                break
    return Calibration(processes, tuple(steps))


async def _step(generator: LoadGenerator, base_url: str, streams: int, tokens: int) -> Step:
    # The streams begin one after the other, so that their events do not all come together.
    over_s = max(1 / EVENTS_PER_S, streams / CONNECTIONS_PER_S)
    starts = tuple(over_s * stream / streams for stream in range(streams))
    bodies = tuple(_body(number, tokens) for number in range(streams))
    plan = LoadPlan(base_url, {}, bodies, Closed(starts, 0, 1, False), time.monotonic() + LEAD_S, 60.0)
    began = time.monotonic()
    result = await generator.run(plan)
    elapsed = time.monotonic() - began
    errors = [error for record in result.records for error in timing_errors(record)]
    drive = Drive.of([record.lag_s for record in result.records], result.loop_lags)
    return Step(
        streams,
        len(errors),
        median(errors),
        quantile(errors, 0.99),
        drive.send_lag_s,
        drive.loop_lag_s,
        max(result.cpu_s) / elapsed,
    )


def timing_errors(record: RequestRecord) -> list[float]:
    """For each token of the null server: seconds from its sending to the arrival that was noted.

    Raises GeneratorError for an answer that is not whole: there is no measuring with such a generator.
    """
    if record.failure is not None:
        why = record.failure
        raise GeneratorError(
            Bilingual(f"the null server could not be asked: {why.en}", f"无法向空服务器发送请求：{why.zh}")
        )
    sent = [float(token) for token in record.answer.text.split()]
    arrived = record.answer.content_times
    if len(sent) != len(arrived):
        raise GeneratorError(
            Bilingual(
                f"the null server sent {len(sent)} tokens, {len(arrived)} were noted",
                f"空服务器发送了 {len(sent)} 个 token，只记录到 {len(arrived)} 个",
            )
        )
    return [after - before for before, after in zip(sent, arrived, strict=True)]


def _body(number: int, tokens: int) -> bytes:
    messages = [{"role": "user", "content": str(number)}]
    usage = {"include_usage": True}
    return orjson.dumps({"messages": messages, "max_tokens": tokens, "stream": True, "stream_options": usage})
