"""Judges the answers of one run by the checks of its item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.checks import CheckResult, run_check
from wending.assess.scenarios.check_spec import CheckSpec
from wending.assess.scenarios.item import Item


def judge(item: Item, answers: Sequence[str]) -> list[CheckResult]:
    """Verdicts on a finished run; ``answers`` holds one per user turn. All checks are applied to the answer
    of each judged turn.

    A check that fails itself, on an answer that nobody thought of, is a failed check whose reason says so: it
    must not end the assessment. Blocks: generated code is executed in the sandbox for up to some seconds, so
    call it in a thread from asyncio. Raises ValueError when the number of answers is not that of the user
    turns.
    """
    if len(answers) != item.turns:
        raise ValueError(f"item {item.id!r} has {item.turns} user turns but got {len(answers)} answers")
    several = len(item.judged_turns) > 1
    return [
        replace(result, turn=turn, reason=_of_turn(turn, result.reason) if several else result.reason)
        for turn in item.judged_turns
        for spec in item.checks
        for result in _checked(spec, answers[turn - 1])
    ]


def _checked(spec: CheckSpec, answer: str) -> list[CheckResult]:
    try:
        results = run_check(spec.name, answer, spec.expectation)
        return [replace(result, reason=_storable(result.reason)) for result in results]
    except Exception as error:  # whatever it is: a user's own check may raise anything
        what = f"{type(error).__name__}: {error}"
        reason = Bilingual(f"not judged: the check failed with {what}", f"未判定：检查自身出错（{what}）")
        return [CheckResult(spec.name, False, _storable(reason), problem="not_judged")]


def _storable(reason: str) -> Bilingual:
    """Without halves of surrogate pairs, which a check may quote and no file can hold."""
    return Bilingual(_encodable(reason), _encodable(chinese(reason)))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _of_turn(turn: int, reason: str) -> Bilingual:
    return Bilingual(f"turn {turn}: {reason}", f"第 {turn} 轮：{chinese(reason)}")
