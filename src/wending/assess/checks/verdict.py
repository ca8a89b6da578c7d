"""The verdict of one check. It knows nothing of scenarios, runs or reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found in one answer.

    ``reason`` says what was found, with numbers, whether the check passed or not. ``informative`` results are
    reported but do not decide whether the run passes. ``problem`` names the stability problem that a failure
    is evidence of (a key of ``wending.assess.problems.PROBLEMS``); it is None when the check passed, and
    when the failure is only a consequence of another check's failure. ``turn``, from 1, is that of the
    answer; whoever judges a conversation fills it in.
    """

    name: str
    passed: bool
    reason: str
    informative: bool = False
    problem: str | None = None
    turn: int | None = None


def run_passes(results: Iterable[CheckResult]) -> bool:
    """A run passes when every check that is not merely informative passes."""
    return all(result.passed for result in results if not result.informative)
