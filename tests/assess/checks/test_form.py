"""Words, lines and the form of lines."""

from __future__ import annotations

import pytest

from wending.assess.checks import CheckResult, run_check


def verdict(name: str, answer: str, **expectation: object) -> CheckResult:
    [result] = run_check(name, answer, expectation)
    assert result.problem == (None if result.passed else "constraint_broken")
    return result


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ("", 0),
        ("...", 0),
        ("Arrived safely.", 2),
        ("Don't wait, I'm well-known.", 4),
        ("3.5 kg cost 1,200 euros", 5),
        ("one,two,three", 3),
        ("今天下雨。", 4),
        ("用 Python 写", 3),
    ],
)
def test_words(answer: str, count: int) -> None:
    result = verdict("words", answer, at_most=4)
    assert result.passed == (0 < count <= 4)
    assert result.reason == f"{count} words, at most 4 allowed"


@pytest.mark.parametrize(
    ("answer", "passed"),
    [("a\nb", True), ("a\n\n b \n", True), ("a", False), ("a\nb\nc", False), ("", False)],
)
def test_lines(answer: str, passed: bool) -> None:
    assert verdict("lines", answer, exactly=2).passed == passed


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("[calm] All is well.", True),
        ("[calm] One.\n\n[busy] Two.", True),
        ("[calm] One.\nTwo.", False),
        ("He said [calm] to me.", False),
        ("", False),
    ],
)
def test_line_form(answer: str, passed: bool) -> None:
    assert verdict("line_form", answer, pattern=r"\[(calm|busy)\] \S.*").passed == passed


def test_the_line_that_differs_is_named() -> None:
    assert verdict("line_form", "ok\nno", pattern="ok").reason == "not of the form: 'no'"
