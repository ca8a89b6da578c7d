"""Answers that change under load, at a planted rate: is it in the interval, and none found where none is?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from bench.simulation.assessing import assess
from bench.simulation.observation import Observation
from bench.simulation.right_answers import known, known_scenarios

from wending.assess.condition import ALONE, LOADED
from wending.assess.run_record import RunRecord
from wending.assess.scripted import Script
from wending.assess.scripted.script import UnderLoad
from wending.assess.stats.paired import paired_change

ITEMS = 30
REPEATS = 2
TOKEN_S = 0.01
"""Long enough that the streams beside are under way all the time."""
STREAMS = 4
"""With more than so many the answers change; there are nine under load, one alone."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One assessment: the planted share of changed answers, what the report found, and its intervals."""

    share: float
    changed: int
    observations: Sequence[Observation]


async def simulate(seed: str, items: int = ITEMS) -> Compared:
    random = Random(seed)
    share = random.choice((0.0, random.uniform(0.03, 0.6), random.uniform(0.03, 0.6)))
    return await compare(share, random, items)


async def compare(share: float, random: Random, items: int = ITEMS) -> Compared:
    """With numbers as answers: one that is changed is a wrong one."""
    [mathematics] = [scenario for scenario in known_scenarios() if scenario.id == "math_reasoning"]
    scenario = replace(mathematics, items=tuple(random.sample(mathematics.items, items)))
    script = Script(
        seed=random.getrandbits(30),
        token_s=TOKEN_S,
        answers=tuple(answer for item in scenario.items for answer in known(item).script(0)),
        under_load=UnderLoad(STREAMS, share) if share else None,
    )
    assessment = await assess(
        script, [scenario], random.getrandbits(30), repeats=1, agreement_repeats=REPEATS
    )
    changed = assessment.to_json()["agreement"]["changed_under_load"]
    observations = [
        Observation("items changed under load", 1 - (1 - share) ** REPEATS, changed["low"], changed["high"])
    ]
    change = paired_change(
        *(_passes(assessment.agreement_records, name) for name in (ALONE.name, LOADED.name))
    )
    if change is not None and change.interval is not None:
        observations.append(
            Observation("paired change of the pass rate under load", -share, *change.interval)
        )
    return Compared(share, changed["k"], observations)


def _passes(records: Sequence[RunRecord], condition: str) -> dict[str, Any]:
    found = defaultdict(list)
    for record in records:
        if record.condition == condition:
            found[record.item].append(float(record.passed))
    return found
