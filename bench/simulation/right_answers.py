"""Right and wrong answers to items of the five scenarios; the right ones are those that the tests hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tests.assess.scenarios import (
    test_code_completion,
    test_json_relations,
    test_multilingual,
    test_role_play,
    test_scenarios,
)

from wending.assess.checks.number import evaluate
from wending.assess.scenarios import Item, Scenario, load_scenarios
from wending.assess.scripted.defects import another
from wending.assess.scripted.script import Answer

SCENARIOS = ("role_play", "json_output", "math_reasoning", "code_completion", "multilingual")
TEXTS = 20
"""So many texts there are for an item, of which the endpoint draws one."""


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item with an answer that passes its checks and one that has the same form and does not."""

    item: Item
    right: str
    wrong: str

    def script(self, wrong_texts: int) -> list[Answer]:
        """Answers to each turn that is judged, so many of the TEXTS wrong."""
        texts = [self.wrong] * wrong_texts + [self.right] * (TEXTS - wrong_texts)
        texts = [text.replace("\\", r"\\") for text in texts]  # a backslash would refer to a group
        users = [message["content"] for message in self.item.messages if message["role"] == "user"]
        return [Answer(rf"\A{re.escape(users[turn - 1])}\Z", tuple(texts)) for turn in self.item.judged_turns]


@cache
def known_scenarios() -> tuple[Scenario, ...]:
    """The five scenarios with the items to which a right answer is known and whose questions are asked once:
    a script tells requests apart by their last message."""
    scenarios = load_scenarios(SCENARIOS)
    asked = Counter(
        message["content"]
        for scenario in scenarios
        for item in scenario.items
        for message in item.messages
        if message["role"] == "user"
    )
    return tuple(
        replace(
            scenario,
            items=tuple(
                item
                for item in scenario.items
                if _right(item) is not None
                and all(asked[message["content"]] < 2 for message in item.messages)
            ),
        )
        for scenario in scenarios
    )


def known(item: Item) -> KnownItem:
    """Raises ValueError for an item without a known answer."""
    right = _right(item)
    if right is None:
        raise ValueError(f"no right answer to {item.id!r} is known")
    return KnownItem(item, right, _wrong(item, right))


def _right(item: Item) -> str | None:
    answers: dict[str, Any] = {
        **test_scenarios.RIGHT_ANSWERS,
        **test_multilingual.ANSWERS,
        **test_code_completion.ANSWERS,
        **{name: texts[0] for name, texts in test_role_play.ANSWERS.items()},
        **{name: texts[0] for name, texts in test_role_play.CONVERSATIONS.items()},
        **{name: _dumped(value) for name, value in test_json_relations.RIGHT.items()},
    }
    if item.id in answers:
        return str(answers[item.id])
    [first, *_] = item.checks
    if first.name == "final_number":
        return f"Answer: {evaluate(first.expectation['expected'])}"
    if first.name == "json" and "const" in first.expectation["values"]:
        return _dumped(first.expectation["values"]["const"])
    return None


def _wrong(item: Item, right: str) -> str:
    return test_multilingual.ENGLISH if item.checks[0].name == "language" else another(right)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
