"""Judges the answers of one run by the checks of its item."""

from __future__ import annotations

from collections.abc import Sequence

from wending.assess.checks import CheckResult, run_check
from wending.assess.scenarios.item import Item


def judge(item: Item, answers: Sequence[str]) -> list[CheckResult]:
    """Verdicts on a finished run; ``answers`` holds one per user turn, and the last is the one judged.

    Blocks: generated code is executed in the sandbox for up to some seconds, so call it in a thread from
    asyncio. Raises ValueError when the number of answers is not that of the user turns.
    """
    if len(answers) != item.turns:
        raise ValueError(f"item {item.id!r} has {item.turns} user turns but got {len(answers)} answers")
    return [result for spec in item.checks for result in run_check(spec.name, answers[-1], spec.expectation)]
