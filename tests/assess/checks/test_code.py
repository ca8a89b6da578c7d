"""Code only, code that parses, and finding the code in an answer."""

from __future__ import annotations

import pytest

from wending.assess.checks import run_check
from wending.assess.checks.extract import around, fenced_blocks, payload, python_code

CODE = "import re\n\n\ndef area(width, height):\n    return width * height\n"


@pytest.mark.parametrize(
    "answer",
    [
        CODE,
        f"```python\n{CODE}```",
        f"```\n{CODE}```\n",
        f"\n\n```py\n{CODE}```",
        f"~~~python\n{CODE}~~~",
        f"# comment\n{CODE}",
    ],
)
def test_code_alone_passes(answer: str) -> None:
    assert run_check("code_only", answer, {})[0].passed
    assert run_check("parses", answer, {})[0].passed
    assert "def area" in python_code(answer)


@pytest.mark.parametrize(
    "answer",
    [
        f"Here is the function:\n```python\n{CODE}```",
        f"```python\n{CODE}```\nIt multiplies the two numbers.",
        f"这是代码：\n\n{CODE}",
        f"{CODE}\nThis function multiplies the two numbers.",
        f"```python\n{CODE}```\n```python\n{CODE}```",
        "I cannot write code.",
        "Sorry",
        "",
    ],
)
def test_text_beside_code_fails_and_is_quoted(answer: str) -> None:
    [result] = run_check("code_only", answer, {})
    assert not result.passed
    assert result.problem == "extra_text"
    assert result.reason


@pytest.mark.parametrize(
    "answer",
    [
        f"Here is the function:\n```python\n{CODE}```",
        f"这是代码：\n\n{CODE}",
        f"{CODE}\nThis function multiplies two numbers.",
    ],
)
def test_code_beside_text_still_parses(answer: str) -> None:
    assert run_check("parses", answer, {})[0].passed
    assert python_code(answer).strip() == CODE.strip()


@pytest.mark.parametrize(
    "answer",
    [
        "def f(:\n    pass",
        "```python\ndef f(x)\n    return x\n```",
        "import re\n\n\ndef f(x):\n    return re.sub(",
        f"{CODE}\ndef g(x:\n    return x",
        "def f():\n\tif True:\n        return 1",
        "x = '\0'",
        "Hello, I am a model.",
        "hello",
        "",
    ],
)
def test_broken_code_does_not_parse(answer: str) -> None:
    [result] = run_check("parses", answer, {})
    assert not result.passed
    assert result.problem == "code_does_not_parse"


def test_broken_code_is_not_called_text() -> None:
    for answer in (
        "import re\n\n\ndef f(x:\n    return x",
        "@app.post('/x')\ndef f(:\n    pass",
        f"{CODE}\nraise ValueError(",
    ):
        assert run_check("code_only", answer, {})[0].passed


def test_unclosed_fence_is_mentioned() -> None:
    [result] = run_check("parses", "```python\ndef f(x):\n    return (x", {})
    assert "not closed" in result.reason
    assert run_check("parses", f"```python\n{CODE}", {})[0].passed


def test_fences() -> None:
    two = "a\n```python\nx = 1\n```\nb\n~~~\ny = 2\n~~~\nc"
    assert [block.content for block in fenced_blocks(two)] == ["x = 1\n", "y = 2\n"]
    assert around(two) == "a b c"
    assert payload(two) == two
    assert payload("```json\n[1]\n```") == "[1]"
    assert around("no fence") == ""
    [unclosed] = fenced_blocks("```python\nx = 1")
    assert unclosed.content == "x = 1"
    assert not unclosed.closed
    assert fenced_blocks("```") != []
