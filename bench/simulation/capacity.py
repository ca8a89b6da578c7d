"""Endpoints with a known number of streams: is that what the search for the capacity finds?

Times are shorter than those of a model, and so are the objectives; the search is that of `wending assess`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal

from wending.assess import performance
from wending.assess.endpoint import EndpointClient
from wending.assess.load.objective import Objective
from wending.assess.load.search import CONFIRMATIONS
from wending.assess.load.search import Capacity as Found
from wending.assess.performance import PerformanceMeasurement
from wending.assess.performance_requests import REQUEST_TYPES
from wending.assess.scripted import Script, ScriptedProcess
from wending.assess.scripted.script import Capacity

MOST = 40
TTFT_S = 0.1
TOKEN_S = 0.06
TOKENS = 25
SPEED = 1 / TOKEN_S
ANSWER_S = TTFT_S + (TOKENS - 1) * TOKEN_S
WAIT_S = 0.3
"""How long a request may wait in the queue beside the usual time to its first token."""
SECONDS = 180.0
TOLERANCE = 0.1

Verdict = Literal["right", "wrong", "not driven"]


@dataclass(frozen=True, slots=True)
class Plant:
    """`true`: the highest concurrency that keeps the objective, as it follows from the script."""

    capacity: Capacity
    objective: Objective
    true: int


@dataclass(frozen=True, slots=True)
class Searched:
    plant: Plant
    found: Found

    @property
    def is_driven(self) -> bool:
        """The generator could drive every level that the search asked for, if not at once."""
        return self.found.stopped_by != "generator"

    @property
    def is_right(self) -> bool:
        """Within 10 %, or within one stream where that is less than one."""
        return abs(self.found.max_concurrency - self.plant.true) <= max(TOLERANCE * self.plant.true, 1)

    @property
    def verdict(self) -> Verdict:
        return "not driven" if not self.is_driven else "right" if self.is_right else "wrong"

    def to_json(self) -> dict[str, Any]:
        """A row of the table; the levels as streams, what they missed and the milliseconds that the generator
        was late."""
        found = self.found
        return {
            "beyond": self.plant.capacity.beyond,
            "true": self.plant.true,
            "found": found.max_concurrency,
            "failed_at": found.failed_at,
            "stopped_by": found.stopped_by,
            "held": f"{found.confirmations_made}/{CONFIRMATIONS}",
            "verdict": self.verdict,
            "levels": [
                [level.concurrency, ", ".join(level.missed), round(1000 * level.loop_lag_s, 1)]
                for level in found.levels
            ],
            "invalid": [[level.concurrency, level.invalid] for level in found.invalid_levels],
        }


def draw_plant(random: Random) -> Plant:
    kind = random.choice(("queue", "slow", "refuse"))
    if kind == "slow":
        return slow(random.randint(3, MOST), random.uniform(0.5, 0.9))
    return queue(random.randint(3, int(MOST / 1.3))) if kind == "queue" else refuse(random.randint(3, MOST))


def queue(streams: int) -> Plant:
    """C streams go round `streams` places; each waits for its turn: an answer's time * (C / streams - 1)."""
    objective = Objective(max_ttft_s=TTFT_S + WAIT_S, min_tokens_per_s=0.5 * SPEED)
    return Plant(Capacity(streams, "queue"), objective, int(streams * (1 + WAIT_S / ANSWER_S)))


def refuse(streams: int) -> Plant:
    """One more is answered 429."""
    objective = Objective(max_ttft_s=TTFT_S + WAIT_S, min_tokens_per_s=0.5 * SPEED)
    return Plant(Capacity(streams, "refuse"), objective, streams)


def slow(most: int, share: float) -> Plant:
    """Beyond the streams at full speed all share it; the objective wants this share of the full speed."""
    streams = max(1, round(share * most))
    objective = Objective(max_ttft_s=2.0, min_tokens_per_s=share * SPEED)
    return Plant(Capacity(streams, "slow"), objective, int(streams / share + 1e-9))


async def simulate(seed: str, seconds: float = SECONDS) -> Searched:
    random = Random(seed)
    return await search(draw_plant(random), seconds, random.getrandbits(30))


async def search(plant: Plant, seconds: float, seed: int) -> Searched:
    """One request type has all the time. The endpoint and the load generator are processes of their own."""
    performance.REQUEST_TYPES = (replace(REQUEST_TYPES[0], share=1.0),)
    # What the endpoint says is the answer to nothing: here only its times count.
    objective = replace(plant.objective, min_valid_share=0.0)
    script = Script(seed=seed, ttft_s=TTFT_S, token_s=TOKEN_S, tokens=TOKENS, capacity=plant.capacity)
    async with ScriptedProcess(script) as server, EndpointClient(server.base_url, model="scripted") as client:
        measurement = PerformanceMeasurement(
            client, seconds=seconds, seed=seed, temperature=0.7, top_p=0.9, objective=objective,
            progress=lambda *_: None,
        )  # fmt: skip
        await measurement.run()
    [result] = measurement.results
    if result.capacity is None:
        raise ValueError("no capacity was measured")
    return Searched(plant, result.capacity)
