"""Mathematics: the final number of an answer, compared exactly with the computed expectation."""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction

from wending.assess.bilingual import Bilingual
from wending.assess.checks.registry import check
from wending.assess.checks.verdict import CheckResult

_NUMBER = re.compile(
    r"(?<![0-9A-Za-z.,/])(?P<sign>-)?"
    r"(?:(?P<mixed>\d+)\s+(?P<part>\d+/\d+)|(?P<ratio>\d+\s?/\s?\d+)(?![\d/])"
    r"|(?P<grouped>\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+)(?:\.\d+)?)(?!\d)"
    r"|(?P<decimal>\d+(?:\.\d+)?|\.\d+))\s?(?P<unit>[万亿])?"
)
_MARKER = re.compile(
    r"(?:\b(?:answer|ans|result)|答案|答|结果)\W{0,4}(?:is|是|为|[:=])[^\w.-]*", re.IGNORECASE
)
_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*(?:\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}|(\d)\s?(\d))")
_EQUAL = re.compile(r"[=≈≃≅]|\\(?:approx|simeq)\b")
# (= 30,000 m²), (or 300 minutes): the answer once more.
_ASIDE = re.compile(r"\(\s*(?:[=≈]|i\.e\.|or\b|about\b|即|约|也就是)[^()]*\)", re.IGNORECASE)
_COMPUTED = re.compile(r"[-+*/×÷·^∙⋅√]|\d!|[A-Za-z]\s?\(|\\(?:times|div|cdot|binom|sqrt)")
_EMPHASIS_OR_UNIT = re.compile(r"\*\*|(?<=[^\W\d])[-/](?=[^\W\d])")
_VULGAR = re.compile(r"(\d?)([¼-¾⅐-⅞])")
_CHINESE_NUMBER = re.compile(r"[零〇一二两三四五六七八九十百千万]+")
_CHINESE_DIGITS = {character: index for index, character in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
}
# 3:40, 3:40 pm, 15点40分, 下午3点40分; not 1:30:00.
_TIME = re.compile(
    r"(?:(?P<before>上午|凌晨)|(?P<after>下午|晚上|傍晚))?\s?(?<!\d)(?<!\d[:.,])(?P<hours>\d{1,2})\s?[:点时]\s?(?P<minutes>[0-5]\d)(?![\d:])"
    r"\s?分?(?:\s?(?:(?P<am>a\.?m\b)|(?P<pm>p\.?m\b)))?",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 40
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}
_ARITHMETIC: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@check("final_number")
def check_final_number(answer: str, *, expected: str, tolerance: float = 0) -> CheckResult:
    """The final number equals ``expected``, arithmetic that shows in the data file where it comes from."""
    wanted = evaluate(expected)
    found = final_number(answer)
    if found is None:
        none = Bilingual(f"no number found; expected {_show(wanted)}", f"没有找到数字；应为 {_show(wanted)}")
        return CheckResult("final_number", False, none, problem="wrong_answer")
    right = abs(found - wanted) <= Fraction(tolerance)
    reason = Bilingual(
        f"found {_show(found)}, expected {_show(wanted)}", f"得到 {_show(found)}，应为 {_show(wanted)}"
    )
    return CheckResult("final_number", right, reason, problem=None if right else "wrong_answer")


def final_number(answer: str) -> Fraction | None:
    r"""The number an answer ends on.

    Inside the last \boxed{}; else after the last "Answer:" or "答案："; else the last number there is. There,
    what is equal to a sum is its result (7 × 8 = 56), but what is equal to a number only says it in another
    way (3 ha = 30,000 m², 1/9 ≈ 0.111). A time of day counts as hours: 3:40 pm is 15 2/3.
    """
    text = _normalise(answer)
    if boxed := _BOXED.findall(text):
        number = _stated_number(boxed[-1])
        if number is not None:
            return number
    if markers := list(_MARKER.finditer(text)):
        line = text[markers[-1].end() :].split("\n", 1)[0]
        number = _stated_number(line)
        if number is not None:
            return number
    numbers = list(_NUMBER.finditer(text))
    return _value(numbers[-1]) if numbers else None


def evaluate(expression: str) -> Fraction:
    """Exact value of numbers, + - * / and parentheses; raises ValueError for anything else."""
    try:
        return _evaluate(ast.parse(expression, mode="eval").body, expression)
    except (SyntaxError, ZeroDivisionError) as error:
        raise ValueError(f"not an arithmetic expression: {expression!r} ({error})") from None


def _evaluate(node: ast.expr, expression: str) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Fraction(ast.get_source_segment(expression, node) or str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand, expression)
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        return _ARITHMETIC[type(node.op)](_evaluate(node.left, expression), _evaluate(node.right, expression))
    raise ValueError(f"not an arithmetic expression: {expression!r}")


def _normalise(text: str) -> str:
    """Half-width characters, one minus sign, fractions and times of day written a/b."""
    text = _VULGAR.sub(r"\1 \2", text)
    text = unicodedata.normalize("NFKC", text).replace("⁄", "/").replace("−", "-").replace("–", "-")
    text = _TIME.sub(_time_as_fraction, text)
    text = _LATEX_FRACTION.sub(lambda found: f" {found[1] or found[3]}/{found[2] or found[4]} ", text)
    return re.sub(r"\\(?:text|mathrm)\s*\{([^{}]*)\}", r" \1", text).replace("\\,", "").replace("{,}", ",")


def _time_as_fraction(match: re.Match[str]) -> str:
    hours = int(match["hours"])
    if (match["after"] or match["pm"]) and hours < 12:
        hours += 12
    elif (match["before"] or match["am"]) and hours == 12:
        hours = 0
    return f" {60 * hours + int(match['minutes'])}/60 "


def _stated_number(line: str) -> Fraction | None:
    """The number that a line states: of several sides of an equation the first that needs no computing, else
    the last."""
    sides = _EQUAL.split(_ASIDE.sub(" ", line))
    side = next((side for side in sides if _is_plain(side)), sides[-1])
    number = _first_number(side)
    return _chinese_number(side) if number is None else number


def _is_plain(side: str) -> bool:
    """Is there one number, with a unit perhaps, and nothing to be computed?"""
    numbers = list(_NUMBER.finditer(side))
    if len(numbers) != 1:
        return False
    beside = side[: numbers[0].start()] + "0" + side[numbers[0].end() :]
    return _COMPUTED.search(_EMPHASIS_OR_UNIT.sub("", beside)) is None


def _first_number(text: str) -> Fraction | None:
    match = _NUMBER.search(text)
    return _value(match) if match else None


def _value(match: re.Match[str]) -> Fraction | None:
    if len(match[0]) > _LONGEST_NUMBER:
        return None
    try:
        if match["mixed"]:
            value = int(match["mixed"]) + Fraction(match["part"])
        elif match["ratio"]:
            value = Fraction(re.sub(r"\s", "", match["ratio"]))
        else:
            value = Fraction(re.sub("[, ]", "", match["grouped"] or match["decimal"]))
    except ZeroDivisionError:
        return None
    value *= {"万": 10_000, "亿": 100_000_000}.get(match["unit"] or "", 1)
    return -value if match["sign"] else value


def _chinese_number(text: str) -> Fraction | None:
    """The first number written in Chinese characters: 五, 十二, 一百零五, 两万三千."""
    match = _CHINESE_NUMBER.search(text)
    if match is None:
        return None
    total = section = digit = 0
    for character in match[0]:
        if character == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        elif character in _CHINESE_UNITS:
            section += (digit or 1) * _CHINESE_UNITS[character]
            digit = 0
        else:
            digit = _CHINESE_DIGITS[character]
    return Fraction(total + section + digit)


def _show(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{value} (≈ {float(value):.4g})"
