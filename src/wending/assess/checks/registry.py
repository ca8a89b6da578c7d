"""The register of checks: a check is one decorated function that scenarios name in their data files."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.checks.verdict import CheckResult

CheckFunction = Callable[..., CheckResult | list[CheckResult]]

_CHECKS: dict[str, CheckFunction] = {}


def check(name: str) -> Callable[[CheckFunction], CheckFunction]:
    """Register a function ``(answer, **expectation) -> CheckResult | list[CheckResult]`` under ``name``.

    The keyword-only parameters of the function are the expectation that a scenario file may give.
    """

    def register(function: CheckFunction) -> CheckFunction:
        if name in _CHECKS:
            raise ValueError(f"a check named {name!r} is registered already")
        _CHECKS[name] = function
        return function

    return register


def validate(name: str, expectation: Mapping[str, Any]) -> None:
    """Raise ValueError unless a check ``name`` exists and takes exactly this expectation."""
    if name not in _CHECKS:
        raise ValueError(f"unknown check {name!r}; there are: {', '.join(sorted(_CHECKS))}")
    try:
        inspect.signature(_CHECKS[name]).bind("", **expectation)
    except TypeError as error:
        raise ValueError(f"check {name!r}: {error}") from None


def run_check(name: str, answer: str, expectation: Mapping[str, Any]) -> list[CheckResult]:
    """Apply the check ``name`` to one answer. Raises whatever the check raises."""
    result = _CHECKS[name](answer, **expectation)
    return result if isinstance(result, list) else [result]


def run_check_safely(name: str, answer: str, expectation: Mapping[str, Any]) -> list[CheckResult]:
    """The same for answers that nobody thought of: a check that fails itself is a failed check whose reason
    says so, and must not end the assessment. Reasons can be stored whatever they quote."""
    try:
        results = run_check(name, answer, expectation)
        return [replace(result, reason=_storable(result.reason)) for result in results]
    except Exception as error:  # a user's own check may raise anything
        what = f"{type(error).__name__}: {error}"
        reason = Bilingual(f"not judged: the check failed with {what}", f"未判定：检查自身出错（{what}）")
        return [CheckResult(name, False, _storable(reason), problem="not_judged")]


def _storable(reason: str) -> Bilingual:
    """Halves of surrogate pairs, which no file can hold, are written out."""
    return Bilingual(_encodable(reason), _encodable(chinese(reason)))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
