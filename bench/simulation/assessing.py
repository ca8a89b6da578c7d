"""One assessment of a scripted endpoint by the conductor, as `wending assess URL` has it done."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console

from wending.assess import endpoint
from wending.assess.conductor import Conductor
from wending.assess.load.objective import Objective
from wending.assess.load.search import CAP
from wending.assess.profile import Profile
from wending.assess.progress import PlainProgress
from wending.assess.results import Assessment
from wending.assess.runner import Sampling
from wending.assess.scenarios import Scenario
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.target import parse_target

SILENCE_S = 2.0
"""The assessment gives an answer up after so long a silence; 120 s outside of simulations."""
CONCURRENCY = 4


async def assess(
    script: Script, scenarios: Sequence[Scenario], seed: int, *, repeats: int, agreement_repeats: int = 0
) -> Assessment:
    """The endpoint shares the event loop: no time is measured here."""
    endpoint.SILENCE_TIMEOUT = SILENCE_S
    profile = Profile("standard", frozenset((1, 2, 3)), repeats, agreement_repeats, 0, 0.0, False, None)
    now = datetime.now().astimezone()
    with tempfile.TemporaryDirectory() as folder:
        async with ScriptedServer(script) as server:
            assessment = Assessment(
                target={"kind": "endpoint", "given": server.base_url},
                sampling=Sampling(repeats, seed, CONCURRENCY),
                scenarios=scenarios,
                objective=Objective(),
                performance_seconds=0.0,
                concurrency_cap=CAP,
                profile=profile,
                environment={},
                started=now,
            )
            target, progress = parse_target(server.base_url), PlainProgress(Console(quiet=True))
            await Conductor(assessment, target, Path(folder), progress, "en", None, None).run()
    return assessment
