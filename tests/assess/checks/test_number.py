"""The final number of an answer: every way of writing it, and near misses."""

from __future__ import annotations

from fractions import Fraction

import pytest

from wending.assess.checks import run_check
from wending.assess.checks.number import evaluate, final_number

POOL = {"expected": "(1 - 3/12) / (1/12 + 1/15)"}


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("Rate: 1/12 + 1/15 = 9/60.\nAnswer: 5", 5),
        ("Answer: 5 hours", 5),
        ("**Answer:** 5", 5),
        ("**Answer: 5 more hours**", 5),
        ("Answer: x = 8", 8),
        ("The answer is 8.", 8),
        ("So the answer is $-3$.", -3),
        ("Final answer: 1,250.50 yuan", Fraction("1250.5")),
        ("Answer: 3/4", Fraction(3, 4)),
        ("Answer: 1 1/2 hours", Fraction(3, 2)),
        ("Answer: 2½", Fraction(5, 2)),
        (r"Therefore \boxed{5}.", 5),
        (r"\boxed{\frac{20}{3}}", Fraction(20, 3)),
        (r"Answer: \(\dfrac{3}{4}\)", Fraction(3, 4)),
        (r"\boxed{5 \text{ hours}}", 5),
        ("答案：5", 5),
        ("答案：还需要 5 小时。", 5),
        ("答案是５", 5),
        ("答：7年后。", 7),
        ("答案：1.2万", 12000),
        ("答案：五小时", 5),
        ("答案：十二", 12),
        ("答案：一百零五", 105),
        ("答案：两万三千", 23000),
        ("结果为 −4", -4),
        ("答案：\n", None),
        ("12 小时\n答案：\n5", 5),
        ("It takes 3 hours first, and then 5.", 5),
        ("7x = 56, x = 56 ÷ 7 = 8", 8),
        ("100 - 75 = 25", 25),
        ("Answer: 12 - 7 = 5", 5),
        ("The question asks to answer this in 3 steps: it is 9", 9),
        ("1,234,567", 1234567),
        ("no digits here", None),
        ("", None),
        ("Answer: 11:40", Fraction(35, 3)),
        ("Answer: 3:40 pm", Fraction(47, 3)),
        ("Answer: 12:10 a.m.", Fraction(1, 6)),
        ("Answer: 12:10 PM", Fraction(73, 6)),
        ("It arrives at 08:30.", Fraction(17, 2)),
        ("答案：21点55分", Fraction(263, 12)),
        ("答案：晚上 9 点 55 分", Fraction(263, 12)),
        ("答案：21：55", Fraction(263, 12)),
        ("答案：2 小时", 2),
        ("Answer: 62.5%", Fraction("62.5")),
        ("Answer: 3 kg", 3),
        ("答案：34.56 升", Fraction("34.56")),
        ("Answer: 1/9 ≈ 0.111", Fraction(1, 9)),
        (r"Answer: \(\frac19 \approx 0.111\)", Fraction(1, 9)),
        ("答案：3 公顷（= 30000 平方米）", 3),
        ("答案：3 公顷 = 30000 平方米", 3),
        ("Answer: 20 km/h = 20,000 m/h", 20),
        ("Answer: 7 × 8 = 56", 56),
        ("Answer: 2(3 + 4) = 14", 14),
        ("Answer: C(9,2) = 36", 36),
        ("Answer: 4! = 24", 24),
        (r"\boxed{x = 8}", 8),
        ("Answer: 11 025 euros", 11025),
        ("Answer: 3/0", None),
        ("9" * 5000, None),
        ("Answer: " + "9" * 4000 + "/7", None),
    ],
)
def test_final_number(answer: str, number: Fraction | int | None) -> None:
    assert final_number(answer) == number


def test_right_answer_passes_and_says_what_was_found() -> None:
    [result] = run_check("final_number", "Both fill 3/20 an hour.\nAnswer: 5.0 hours", POOL)
    assert result.passed
    assert result.reason == "found 5, expected 5"
    assert result.problem is None


@pytest.mark.parametrize(
    "answer", ["Answer: 6", "Answer: 5.5", "Answer: -5", "Answer: 50", "答案：3/20", "I cannot say."]
)
def test_wrong_answer_fails(answer: str) -> None:
    [result] = run_check("final_number", answer, POOL)
    assert not result.passed
    assert "expected 5" in result.reason
    assert result.problem == "wrong_answer"


def test_tolerance_admits_a_rounded_answer() -> None:
    rounded = {"expected": "20/3", "tolerance": 0.01}
    assert run_check("final_number", "Answer: 6.67", rounded)[0].passed
    assert not run_check("final_number", "Answer: 6.6", rounded)[0].passed
    assert not run_check("final_number", "Answer: 6.67", {"expected": "20/3"})[0].passed


def test_expectation_is_exact_arithmetic() -> None:
    assert evaluate("320 * (1 - 30/100)") == 224
    assert evaluate("0.1 + 0.2") == Fraction(3, 10)
    assert evaluate("-(3 - 5) * 1/3") == Fraction(2, 3)


@pytest.mark.parametrize("expression", ["", "x + 1", "__import__('os')", "1 / 0", "2 ** 8", "True", "1 +"])
def test_expectation_takes_nothing_but_arithmetic(expression: str) -> None:
    with pytest.raises(ValueError, match="not an arithmetic expression"):
        evaluate(expression)
