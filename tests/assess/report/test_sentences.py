"""Phrases that a report derives from its figures."""

from __future__ import annotations

from typing import Any

import pytest

from wending.assess.report import sentences


def result(k: int, n: int, **changes: Any) -> dict[str, Any]:
    return {
        "max_concurrency": 64,
        "at_least": True,
        "goodput": {"k": k, "n": n, "low": 0.0, "high": 1.0},
        "confirmations": {"planned": 3, "made": 3, "held": 3},
        "levels": [],
        **changes,
    }


NONE_VALID = {"concurrency": 1, "held": False, "missed": ["answers"]}


@pytest.mark.parametrize(
    ("found", "english", "chinese"),
    [
        (result(192, 192), "at least 64 (held 3/3)", "至少 64（复测 3/3 达标）"),
        (result(64, 192), "at least 64 (held 3/3; 33% valid)", "至少 64（复测 3/3 达标；33% 有效）"),
        (
            result(0, 0, max_concurrency=0, at_least=False, goodput=None, levels=[NONE_VALID]),
            "0 (1 failed on answers)",
            "0（1 路未达标：有效回答）",
        ),
    ],
)
def test_a_concurrency_says_how_many_answers_were_valid(
    found: dict[str, Any], english: str, chinese: str
) -> None:
    assert sentences.concurrency(found) == {"en": english, "zh": chinese}
