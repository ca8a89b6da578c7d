# ruff: noqa: E501 - forms are kept on one line each
"""Right answers in every usual form: what is only markup, layout or notation decides nothing, in no item."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction

import pytest
from bench.simulation.right_answers import known, known_scenarios

from wending.assess.checks import run_passes
from wending.assess.checks.number import evaluate
from wending.assess.context.task import make_task
from wending.assess.scenarios import Item, judge

OF_SCENARIO = {scenario.id: scenario.items for scenario in known_scenarios()}
Form = Callable[[str], str]

JSON_FORMS: dict[str, Form] = {
    "fenced": lambda text: f"```json\n{text}\n```",
    "fenced without a name": lambda text: f"```\n{text}\n```\n",
    "indented": lambda text: json.dumps(json.loads(text), ensure_ascii=False, indent=4),
    "escaped": lambda text: json.dumps(json.loads(text)),
    "in Windows lines": lambda text: json.dumps(json.loads(text), ensure_ascii=False, indent=2).replace(
        "\n", "\r\n"
    ),
    "white space around": lambda text: f"\n\n  {text}  \n",
    "keys the other way round": lambda text: json.dumps(_reversed(json.loads(text)), ensure_ascii=False),
}
CODE_FORMS: dict[str, Form] = {
    "fenced": lambda text: text if "```" in text else f"```python\n{text.strip()}\n```",
    "fenced as py": lambda text: (
        text.replace("```python", "```py") if "```" in text else f"```py\n{text.strip()}\n```"
    ),
    "words around": lambda text: (
        f"Here is the code:\n\n{text if '```' in text else f'```python{chr(10)}{text.strip()}{chr(10)}```'}\n\nIt does what the description says."
    ),
    "Chinese words around": lambda text: (
        f"以下是代码：\n\n{text if '```' in text else f'```python{chr(10)}{text.strip()}{chr(10)}```'}\n\n这样就可以了。"
    ),
    "a comment above": lambda text: (
        text.replace("```python\n", "```python\n# The whole of it.\n")
        if "```" in text
        else f"# The whole of it.\n{text}"
    ),
}
NUMBER_FORMS: dict[str, Form] = {
    "marked": "Answer: {}".format,
    "bold marker": "So:\n\n**Answer:** {}".format,
    "bold": "Answer: **{}**".format,
    "all bold": "**Answer: {}**".format,
    "heading": "### Answer: {}".format,
    "next line": "Answer:\n\n{}".format,
    "full stop": "Answer: {}.".format,
    "mathematics": "Answer: ${}$".format,
    "parentheses": r"Answer: \({}\)".format,
    "displayed": "\\[\n\\boxed{{{}}}\n\\]".format,
    "boxed after the marker": r"Answer: $\boxed{{{}}}$".format,
    "boxed unit": r"\boxed{{{}\text{{ units}}}}".format,
    "code": "Answer: `{}`".format,
    "sentence": "The answer is {}.".format,
    "final answer": "First 3, then 4.\n\nFinal answer: {}".format,
    "Chinese": "第一步得 3，第二步得 4。\n答案：{}".format,
    "Chinese bold": "**答案：{}**".format,
    "Chinese sentence": "答案是 {}。".format,
    "ASCII colon": "答案: {}".format,
    "full width": lambda number: f"答案：{_full_width(number)}",
    "computed": "Answer: 2 × 1 - 1 = {}".format,
    "named": "Answer: x = {}".format,
}
STEP_MARKS = ("1) ", "(1) ", "**1.** ", "1、", "1．", "### 1. ", "1️⃣ ", "1: ", "1 - ", "**1)** ")
WORD_FORMS: dict[str, Form] = {
    "white space around": lambda text: f"\n{text}\n\n",
    "Windows lines": lambda text: text.replace("\n", "\r\n"),
    "quoted": lambda text: text if "\n" in text else f"“{text}”",
}


def assert_right(item: Item, answer: str) -> None:
    results = judge(item, [answer] * item.turns)
    assert run_passes(results), (answer, [result.reason for result in results if not result.passed])


@pytest.mark.parametrize("form", JSON_FORMS.values(), ids=JSON_FORMS)
def test_json(form: Form) -> None:
    for item in OF_SCENARIO["json_output"]:
        assert_right(item, form(known(item).right))


@pytest.mark.parametrize("form", CODE_FORMS.values(), ids=CODE_FORMS)
def test_code(form: Form) -> None:
    for item in OF_SCENARIO["code_completion"]:
        assert_right(item, form(known(item).right))


@pytest.mark.parametrize("form", NUMBER_FORMS.values(), ids=NUMBER_FORMS)
def test_numbers(form: Form) -> None:
    for item in OF_SCENARIO["math_reasoning"]:
        for number in _notations(evaluate(item.checks[0].expectation["expected"])):
            assert_right(item, form(number))


@pytest.mark.parametrize("mark", STEP_MARKS)
def test_steps(mark: str) -> None:
    numbered = [item for item in OF_SCENARIO["multilingual"] if _is_checked_for("numbered_steps", item)]
    assert len(numbered) > 15
    for item in numbered:
        assert_right(
            item, re.sub(r"(?m)^(\d)\. ", lambda number: mark.replace("1", number[1]), known(item).right)
        )


@pytest.mark.parametrize("form", WORD_FORMS.values(), ids=WORD_FORMS)
def test_words(form: Form) -> None:
    for item in (*OF_SCENARIO["multilingual"], *OF_SCENARIO["role_play"]):
        if item.answer_kind != "code" and not _is_checked_for("line_form", item):
            assert_right(item, form(known(item).right))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_recall(language: str) -> None:
    task = make_task(language, 2000, 0.5, seed=1)
    code = task.code
    for answer in (
        code,
        f"**{code}**",
        f"The code is {code}.",
        f"密码是 {code}。",
        f"{code[:2]},{code[2:]}",
        _full_width(code),
        f"`{code}`",
        f"${code}$",
    ):
        assert task.recalled(answer), answer
    for answer in ("", "I do not know.", code[:4], f"{code} or 12345", f"{int(code) + 1}"):
        assert not task.recalled(answer), answer


def _reversed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(one) for one in value] if isinstance(value, list) else value


def _is_checked_for(name: str, item: Item) -> bool:
    return any(spec.name == name for spec in item.checks)


def _full_width(text: str) -> str:
    return "".join(
        chr(ord(one) + 0xFEE0) if one.isdigit() else one for one in unicodedata.normalize("NFKC", text)
    )


def _notations(value: Fraction) -> list[str]:
    if value.denominator != 1:
        return [str(value), f"{value.numerator} / {value.denominator}"]
    number = value.numerator
    return [str(number), f"{number:,}", f"{number}.0", f"{number:,}".replace(",", " ")]
