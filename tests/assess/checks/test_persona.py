"""Markers, forbidden content and sentence counts of roles."""

from __future__ import annotations

from typing import Any

import pytest

from wending.assess.checks import CheckResult, run_check
from wending.assess.checks.persona import count_sentences
from wending.assess.scenarios import load_scenarios


def verdict(name: str, answer: str, **expectation: Any) -> CheckResult:
    [result] = run_check(name, answer, expectation)
    return result


@pytest.mark.parametrize(
    "answer",
    [
        "Paris. — Captain Lin",
        "Paris.\n\n— Captain Lin\n",
        "Paris. – Captain Lin",
        "Paris. - Captain Lin",
        "Paris. **— Captain Lin**",
        "Paris.\n—  Captain Lin",
        "Paris. —Captain Lin",
        "Paris. — *Captain Lin*",
    ],
)
def test_sign_off_is_found_however_the_dash_is_written(answer: str) -> None:
    assert verdict("ends_with", answer, text="— Captain Lin").passed


@pytest.mark.parametrize(
    "answer",
    ["Paris.", "— Captain Lin\nParis.", "Paris. — Captain Lee", "Paris. Captain Lin", "", "Paris — Captain"],
)
def test_missing_sign_off_is_role_forgotten(answer: str) -> None:
    result = verdict("ends_with", answer, text="— Captain Lin")
    assert not result.passed
    assert result.problem == "role_forgotten"
    assert "demanded" in result.reason


@pytest.mark.parametrize(
    ("answer", "passed"), [("亲，有的。", True), (" 亲,有的。", True), ("有的，亲，", False), ("", False)]
)
def test_opening_marker(answer: str, passed: bool) -> None:
    assert verdict("starts_with", answer, text="亲，").passed is passed


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ("It costs 3.50 euros.", 1),
        ("Wait... what?", 1),
        ("Wait... What?", 2),
        ("嗯……好吧。", 1),
        ("Dr. Paw and Mr. J. Smith open at 9 p.m. in the U.S., e.g. on Monday.", 1),
        ("See No. 5 on example.com. It is open.", 2),
        ("“Stop!” he said.", 1),
        ("it rains. it pours! it snows.", 3),
        ("It rains. — It pours.", 2),
        ("Dear friend,\nit is normal.", 1),
        ("Three points:\n1. Eat.\n2. Sleep.\n- Rest.", 3),
        ("亲，有的。我会去核实！", 2),
        ("他说：“好。”然后走了。", 2),
        ("No full stop", 1),
        ("Line one\nLine two", 2),
        ("", 0),
        ("...", 0),
        ("Version 2.5 is out.", 1),
    ],
)
def test_sentences_are_counted(text: str, count: int) -> None:
    assert count_sentences(text) == count


def test_a_marker_at_the_beginning_is_left_out_too() -> None:
    assert verdict("sentences", "Ahoy. It is 13. I counted.", at_most=2, without="Ahoy.").passed
    assert not verdict("sentences", "Ahoy. It is 13. I counted. Bye.", at_most=2, without="Ahoy.").passed


@pytest.mark.parametrize(
    ("answer", "passed"),
    [("Add 500 g of flour.", True), ("Add ５００ GRAMS.", True), ("Add good flour.", False), ("", False)],
)
def test_forms_that_must_occur(answer: str, passed: bool) -> None:
    result = verdict("matches", answer, patterns=[r"\d\s?g\b|grams"], problem="role_forgotten")
    assert result.passed is passed
    assert result.problem == (None if passed else "role_forgotten")


def test_sentence_limit_leaves_out_the_marker() -> None:
    three = "The sky is blue. It is wide. I cook.\n— Captain Lin"
    assert verdict("sentences", three, at_most=3, without="— Captain Lin").passed
    same_line = "The sky is blue. It is wide. I cook. — Captain Lin"
    assert verdict("sentences", same_line, at_most=3, without="— Captain Lin").passed
    four = verdict("sentences", "One. " + three, at_most=3, without="— Captain Lin")
    assert not four.passed
    assert four.reason == "4 sentences, at most 3 allowed"
    assert four.problem == "constraint_broken"
    assert not verdict("sentences", "", at_most=3).passed


def bookshop(answer: str) -> CheckResult:
    [scenario] = load_scenarios(["role_play"])
    [item] = [item for item in scenario.items if item.id == "bookshop_assistant"]
    [patterns] = [spec.expectation for spec in item.checks if spec.name == "forbidden"]
    return verdict("forbidden", answer, **patterns)


@pytest.mark.parametrize(
    "answer", ["亲，价格需要核实。", "亲，我们有 3 本菜谱，价格稍后告诉您。", "亲，请稍等。"]
)
def test_saying_no_price_is_allowed(answer: str) -> None:
    assert bookshop(answer).passed


@pytest.mark.parametrize(
    "answer",
    ["亲，35元。", "亲，￥35。", "亲，35 块。", "亲，三十五元。", "亲，$5。", "亲，５０元", "亲，3.5 Yuan"],
)
def test_a_price_is_forbidden_and_quoted(answer: str) -> None:
    result = bookshop(answer)
    assert not result.passed
    assert result.reason.startswith("says ")
    assert result.problem == "forbidden_content"
