"""Judges the answers of one run by the checks of its item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.checks import CheckResult, run_check_safely
from wending.assess.scenarios.item import Item


def judge(item: Item, answers: Sequence[str]) -> list[CheckResult]:
    """Verdicts on a finished run; ``answers`` holds one per user turn. All checks are applied to the answer
    of each judged turn.

    Blocks: generated code is executed in the sandbox for up to some seconds, so call it in a thread from
    asyncio. Raises ValueError when the number of answers is not that of the user turns.
    """
    if len(answers) != item.turns:
        raise ValueError(f"item {item.id!r} has {item.turns} user turns but got {len(answers)} answers")
    several = len(item.judged_turns) > 1
    return [
        replace(result, turn=turn, reason=_of_turn(turn, result.reason) if several else result.reason)
        for turn in item.judged_turns
        for spec in item.checks
        for result in run_check_safely(spec.name, answers[turn - 1], spec.expectation)
    ]


def _of_turn(turn: int, reason: str) -> Bilingual:
    return Bilingual(f"turn {turn}: {reason}", f"第 {turn} 轮：{chinese(reason)}")
