"""Times to the first token from a known distribution: do the order-statistic bounds hold its quantiles?"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist
from typing import Any

import orjson
from bench.simulation.observation import Observation

from wending.assess.load import LoadGenerator
from wending.assess.load.drive import Drive
from wending.assess.load.loop_lag import LoopLag
from wending.assess.load.plan import Closed, LoadPlan
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.times import Lognormal
from wending.assess.stats import quantile, quantile_bounds

PROBABILITIES = (0.5, 0.95)
COUNTS = (20, 60, 100, 200)
"""Requests; 20 is what one stream alone is asked, and carries no bounds of the 95 % quantile."""
STREAMS = 20
LEAD_S = 0.1
START_S = 1.0
"""In so long the process of a generator has started, and will send its first requests in time."""
SHORTEST_S = 0.2
"""Of the medians that are planted: the generator may be late as at a level with this limit."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One assessment. `withheld`: quantiles without bounds or without a value, as "p95 of 20".
    `invalid` says why the generator or the endpoint could not keep to its times; such a one counts nowhere.
    """

    observations: Sequence[Observation]
    withheld: Sequence[str]
    invalid: str

    def to_json(self) -> dict[str, Any]:
        covered = [[one.figure, one.is_covered] for one in self.observations]
        return {"invalid": self.invalid, "covered": covered, "withheld": list(self.withheld)}


async def simulate(seed: str) -> Timed:
    random = Random(seed)
    # Long against what this machine adds when it is busy: some milliseconds.
    times = Lognormal(random.uniform(SHORTEST_S, 0.5), random.uniform(0.2, 0.6))
    async with LoadGenerator() as generator:
        await asyncio.sleep(START_S)
        return await measure(generator, times, random.choice(COUNTS), random.getrandbits(30))


async def measure(generator: LoadGenerator, times: Lognormal, count: int, seed: int) -> Timed:
    """With the load generator, as a level of load is measured. The endpoint runs in this event loop, whose
    lateness is noted like that of the generator's own."""
    starts = tuple(0.01 * stream for stream in range(STREAMS))
    async with ScriptedServer(Script(seed=seed, ttft_s=times, tokens=2)) as server:
        bodies = tuple(_body(number) for number in range(count))
        schedule = Closed(starts, warm=0, counted=count // STREAMS, fill=False)
        plan = LoadPlan(server.base_url, {}, bodies, schedule, time.monotonic() + LEAD_S, 60.0)
        with LoopLag() as endpoint:
            result = await generator.run(plan)
    drive = Drive.of([record.lag_s for record in result.records], result.loop_lags + endpoint.lags)
    ttfts = [record.answer.ttft_s for record in result.records if record.answer.ttft_s is not None]
    observations, withheld = [], []
    for probability in PROBABILITIES:
        name = f"p{100 * probability:.0f}"
        true = times.median * math.exp(times.sigma * NormalDist().inv_cdf(probability))
        bounds = quantile_bounds(ttfts, probability)
        if bounds is None:
            withheld.append(f"bounds of {name} of {len(ttfts)}")
        else:
            observations.append(Observation(f"TTFT {name}, order-statistic bounds", true, *bounds))
        if quantile(ttfts, probability) is None:
            withheld.append(f"{name} of {len(ttfts)}")
    return Timed(observations, withheld, drive.fault(SHORTEST_S) or "")


def _body(number: int) -> bytes:
    return orjson.dumps({"messages": [{"role": "user", "content": str(number)}], "stream": True})
