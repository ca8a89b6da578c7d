"""Every item accepts its number, however it is introduced, and refuses others."""

from __future__ import annotations

from collections import Counter

import pytest

from wending.assess.checks import run_passes
from wending.assess.checks.number import evaluate
from wending.assess.scenarios import Item, judge, load_scenarios

[SCENARIO] = load_scenarios(["math_reasoning"])


def test_forty_items_in_both_languages_and_of_all_levels() -> None:
    assert len(SCENARIO.items) >= 40
    languages = Counter(item.language for item in SCENARIO.items)
    assert min(languages["en"], languages["zh"]) >= 18
    assert {item.level for item in SCENARIO.items} == {1, 2, 3}
    assert len({item.messages[-1]["content"] for item in SCENARIO.items}) == len(SCENARIO.items)


@pytest.mark.parametrize("item", SCENARIO.items, ids=lambda item: item.id)
def test_right_and_wrong(item: Item) -> None:
    [spec] = item.checks
    value = evaluate(spec.expectation["expected"])
    marker = "答案：" if item.language == "zh" else "Answer: "
    assert marker.strip("： ") in item.messages[-1]["content"]
    assert run_passes(judge(item, [f"7 + 1 = 8\n{marker}{value}"]))
    assert run_passes(judge(item, [f"\\boxed{{{value}}}"]))
    for wrong in (value + 1, value * 2 + 1, -value):
        assert not run_passes(judge(item, [f"{marker}{wrong}"]))
