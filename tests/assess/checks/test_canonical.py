"""Two answers that say the same have the same canonical form."""

from __future__ import annotations

import pytest

from wending.assess.checks.canonical import canonical_answer


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("number", "Answer: 5", "First 3 hours.\n答案：5.0 小时"),
        ("number", "1/2", "0.5"),
        ("json", '{"a": 1, "b": [1, 2]}', '```json\n{\n  "b": [1,2],\n  "a": 1\n}\n```'),
        ("code", "def f(x):\n    return x  # same", "```python\ndef f(x):\n\n    return (x)\n```"),
        ("text", " Paris. \n", "Paris."),
    ],
)
def test_equal_in_substance(kind: str, one: str, other: str) -> None:
    assert canonical_answer(kind, one) == canonical_answer(kind, other) is not None


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("number", "5", "6"),
        ("json", "[1, 2]", "[2, 1]"),
        ("code", "x = 1", "x = 2"),
        ("text", "Paris", "paris"),
    ],
)
def test_different_in_substance(kind: str, one: str, other: str) -> None:
    assert canonical_answer(kind, one) != canonical_answer(kind, other)


@pytest.mark.parametrize(
    ("kind", "text"), [("number", "none"), ("json", "[1,]"), ("code", "def f("), ("text", "  ")]
)
def test_no_answer(kind: str, text: str) -> None:
    assert canonical_answer(kind, text) is None


def test_null_is_an_answer() -> None:
    assert canonical_answer("json", "null") == "null"


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="unknown answer kind 'image'"):
        canonical_answer("image", "")
