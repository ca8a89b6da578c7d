"""Every added item accepts its values, however they are laid out, and tells what is wrong with others."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from wending.assess.checks import run_passes
from wending.assess.scenarios import Item, judge, load_scenarios

[SCENARIO] = load_scenarios(["json_output"])
EXACT = [item for item in SCENARIO.items if "const" in item.checks[0].expectation.get("values", {})]


def test_forty_items_in_both_languages_and_of_all_levels() -> None:
    assert len(SCENARIO.items) >= 40
    assert len(EXACT) >= 35
    languages = Counter(item.language for item in SCENARIO.items)
    assert min(languages["en"], languages["zh"]) >= 15
    assert {item.level for item in SCENARIO.items} == {1, 2, 3}


@pytest.mark.parametrize("item", EXACT, ids=lambda item: item.id)
def test_right_and_wrong(item: Item) -> None:
    value = item.checks[0].expectation["values"]["const"]
    compact, spacious = json.dumps(value, ensure_ascii=False), json.dumps(value, indent=4)
    for answer in (compact, spacious, f"```json\n{spacious}\n```"):
        assert [result.reason for result in judge(item, [answer]) if not result.passed] == []
    for answer in (compact[:-1], f"Here it is: {compact}", compact[:-1] + "," + compact[-1], "[]", "{}"):
        assert not run_passes(judge(item, [answer]))
    assert not run_passes(judge(item, [json.dumps(_changed(value), ensure_ascii=False)]))


def _changed(value: Any) -> Any:
    """One value another than it should be, of the same kind."""
    if isinstance(value, dict):
        name = next(iter(value))
        return value | {name: _changed(value[name])}
    if isinstance(value, list):
        return [_changed(value[0]), *value[1:]]
    return (
        not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else f"{value}!"
    )
