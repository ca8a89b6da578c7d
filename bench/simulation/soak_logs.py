"""Soaks of hours in a moment: logs by the project's own writer and a clock of their own.

Memory and latency have the noise of real servers: white, wandering (autocorrelated), a collector's sawtooth,
and growth at the begin that levels off. Leaks, drifts, crashes, stalls and answers that change are planted
or not.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bench.simulation.observation import Observation

from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint_errors import BadStatus
from wending.assess.soak.canary import PROMPTS, CanaryAnswer
from wending.assess.soak.findings import findings
from wending.assess.soak.log import SoakLog
from wending.assess.soak.plan import SoakPlan, canary_interval
from wending.assess.soak.stall import StallWatch
from wending.assess.soak.summary import summarize
from wending.assess.soak.window import Window

MIB = 2**20
HOUR = 3600.0
STALL_S = 30.0
STILL_S = 120.0
TOKENS = 64
SAMPLES = 480
REQUESTS = 12
"""Between two samples."""
TTFT_S = 0.3
"""Median, at the begin."""
FILES = 100
"""Open files, at the begin."""
DOWN_S = 20.0
"""How long a crashed server is away."""


@dataclass(frozen=True, slots=True)
class Plant:
    """Slopes are per hour; 0 where nothing is planted. Times in hours."""

    hours: float
    leak_bytes: float = 0.0
    """Memory."""
    file_leak: float = 0.0
    """Open files."""
    drift_s: float = 0.0
    """Median time to the first token."""
    crash_rate: float = 0.0
    """Per hour; crashes come as a Poisson process."""
    stalls: tuple[float, ...] = ()
    """When they begin; each takes STILL_S and two samples."""
    changes_at: float | None = None
    """From when on one of the canaries gets another answer."""
    error_rate: float = 0.0
    """Share of requests."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Of a server's memory, as shares of its level; times in hours."""

    level_bytes: float
    white: float
    wander: float
    wander_hours: float
    sawtooth: float
    sawtooth_hours: float
    growth: float
    growth_hours: float
    """In so many hours all but 37 % of the growth at the begin is done."""


@dataclass(slots=True)
class Soaked:
    """What was planted, what really happened, and what the report says."""

    plant: Plant
    crashes: int
    report: dict[str, Any]
    found: list[str] = field(default_factory=list)
    """Its findings, in English."""

    @property
    def rising(self) -> set[str]:
        return {row["name"] for row in self.report["trends"] if row["rises"]}


def draw_noise(random: Random, hours: float) -> Noise:
    return Noise(
        level_bytes=random.uniform(300, 8000) * MIB,
        white=random.uniform(0.0005, 0.01),
        wander=random.uniform(0.0, 0.01),
        wander_hours=hours * math.exp(random.uniform(math.log(0.001), math.log(0.03))),
        sawtooth=random.choice((0.0, random.uniform(0.005, 0.05))),
        sawtooth_hours=hours * math.exp(random.uniform(math.log(0.002), math.log(0.05))),
        growth=random.choice((0.0, random.uniform(0.05, 1.0))),
        growth_hours=hours * random.uniform(0.002, 0.06),
    )


def draw_plant(random: Random, hours: float, level_bytes: float, *, sound: bool) -> Plant:
    """A sound server, or one with about half of all that may be planted. A leak or a drift makes 2 to 100 %
    more by the end."""
    if sound:
        return Plant(hours, error_rate=random.uniform(0.0, 0.01))
    leaks, drifts, crashes, stalls, changes = (random.random() < 0.5 for _ in range(5))
    more_memory, more_files, more_ttft = (math.exp(random.uniform(math.log(0.02), 0.0)) for _ in range(3))
    return Plant(
        hours,
        leak_bytes=more_memory * level_bytes / hours if leaks else 0.0,
        file_leak=more_files * FILES / hours if leaks else 0.0,
        drift_s=more_ttft * TTFT_S / hours if drifts else 0.0,
        # A restart frees what has leaked: then there is no one slope.
        crash_rate=random.uniform(0.2, 6.0) / hours if crashes and not leaks else 0.0,
        stalls=tuple((number + random.uniform(0.2, 0.8)) * hours / 3 for number in range(3))
        if stalls
        else (),
        changes_at=random.uniform(0.2, 0.6) * hours if changes else None,
        error_rate=random.uniform(0.02, 0.2),
    )


def simulate(seed: str, *, sound: bool) -> Soaked:
    random = Random(seed)
    hours = random.choice((1.0, 4.0, 12.0, 24.0))
    noise = draw_noise(random, hours)
    return soak(draw_plant(random, hours, noise.level_bytes, sound=sound), noise, random)


def soak(plant: Plant, noise: Noise, random: Random, requests: int = REQUESTS) -> Soaked:
    """Writes the log of such a soak, with so many requests between two samples, and reads it as
    `wending soak --report` does."""
    with tempfile.TemporaryDirectory() as folder:
        with SoakLog(Path(folder)) as log:
            crashes = _write(log, plant, noise, random, requests)
        report = summarize(Path(folder)).to_json()
    return Soaked(plant, crashes, report, [str(words) for words in findings(report)])


def observations(soaked: Soaked) -> Iterator[Observation]:
    """Intervals of the report beside what was planted."""
    plant, report = soaked.plant, soaked.report
    planted = {"memory_bytes": plant.leak_bytes, "files": plant.file_leak, "ttft_s": plant.drift_s}
    for row in report["trends"]:
        # A server that was started again begins anew: its memory has no one slope.
        if (
            row["name"] in planted
            and row["low"] is not None
            and not (soaked.crashes and row["name"] != "ttft_s")
        ):
            slope = planted[row["name"]]
            kind = "planted" if slope else "none planted"
            yield Observation(f"slope of {row['name']}, {kind}", slope, row["low"], row["high"])
    errors = report["error_rate"]
    yield Observation("error rate", plant.error_rate, errors["low"], errors["high"])
    if plant.crash_rate:
        most = report["crashes"]["per_hour_at_most"]
        yield Observation("crash rate, upper bound (95 %, one-sided)", plant.crash_rate, 0.0, most)


class _Memory:
    """Bytes, sample by sample."""

    def __init__(self, plant: Plant, noise: Noise, random: Random) -> None:
        self._plant, self._noise, self._random = plant, noise, random
        self._step = plant.hours / SAMPLES
        self._keep = math.exp(-self._step / noise.wander_hours)
        self._wander = random.gauss(0, 1)
        self._tooth = random.random()

    def sample(self, age: float) -> float:
        """`age`: hours since the server was started."""
        noise, random = self._noise, self._random
        self._wander = self._keep * self._wander + math.sqrt(1 - self._keep**2) * random.gauss(0, 1)
        self._tooth += self._step / noise.sawtooth_hours * random.uniform(0.7, 1.3)
        level = noise.level_bytes * (
            1
            + noise.white * random.gauss(0, 1)
            + noise.wander * self._wander
            + noise.sawtooth * (self._tooth % 1)
            - noise.growth * math.exp(-age / noise.growth_hours) / (1 + noise.growth)
        )
        return level + self._plant.leak_bytes * age


def _write(log: SoakLog, plant: Plant, noise: Noise, random: Random, requests: int) -> int:
    """How many crashes there were."""
    step = plant.hours / SAMPLES
    soak_plan = SoakPlan(
        plant.hours * HOUR, 4, step * HOUR, canary_interval(plant.hours * HOUR), stall_s=STALL_S
    )
    now = 0.0

    def event(name: str, values: dict[str, Any]) -> None:
        log.write("event", {"event": name, **values}, now * HOUR)

    target = {"kind": "checkpoint", "given": "m", "base_url": "u", "model": "m", "demonstration": False}
    head = {
        "target": target,
        "plan": soak_plan.to_json(),
        "environment": {},
        "baseline": dict.fromkeys(PROMPTS, ""),
    }
    log.write("start", head, 0.0)
    watch = StallWatch(STALL_S, 0.0, event)
    memory = _Memory(plant, noise, random)
    crashes, started, next_canary = 0, 0.0, soak_plan.canary_s / HOUR
    next_crash = random.expovariate(plant.crash_rate) if plant.crash_rate else math.inf
    for number in range(1, SAMPLES + 1):
        window, end = Window(), number * step
        for part in range(requests):  # requests of this window, one after the other
            now = end - step * (1 - (part + 1) / requests)
            if next_crash <= now:
                crashes += 1
                event("server_ended", {"exit_status": -11, "words": "killed by signal 11"})
                event("server_restarted", {"seconds": DOWN_S})
                started, next_crash = now, now + random.expovariate(plant.crash_rate)
            if any(begin <= now < begin + STILL_S / HOUR + 2 * step for begin in plant.stalls):
                continue
            watch.heard(now * HOUR)
            if random.random() < plant.error_rate:
                window.add_error(BadStatus(500, "planted"))
                continue
            ttft = TTFT_S * math.exp(random.gauss(0, 0.3)) + plant.drift_s * now
            times = [ttft + 0.02 * token for token in range(TOKENS)]
            window.add_answer(ChatAnswer(0.0, content_times=times))
        now = end
        watch.check(now * HOUR)
        values = {
            "memory_bytes": round(memory.sample(now - started)),
            "threads": 11,
            "files": round(FILES + plant.file_leak * (now - started)) + random.randint(0, 4),
        }
        log.write("sample", values | window.to_json(), now * HOUR)
        if now >= next_canary:
            next_canary += soak_plan.canary_s / HOUR
            changed = plant.changes_at is not None and now >= plant.changes_at
            answers = [
                CanaryAnswer(
                    name, "another" if changed and name == "list" else "", not (changed and name == "list")
                )
                for name in PROMPTS
            ]
            log.write(
                "canary", {"loaded": True, "answers": [answer.to_json() for answer in answers]}, now * HOUR
            )
    log.write("end", {"reason": "done"}, plant.hours * HOUR)
    return crashes
