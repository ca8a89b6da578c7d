"""The bundled scenarios: complete, bilingual, and answered rightly by right answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wending.assess.checks import run_passes
from wending.assess.scenarios import SCENARIO_IDS, Item, judge, load_scenario, load_scenarios

ITEMS = {item.id: item for scenario in load_scenarios() for item in scenario.items}


def test_five_scenarios_with_at_least_four_items_in_both_languages() -> None:
    scenarios = load_scenarios()
    assert tuple(scenario.id for scenario in scenarios) == SCENARIO_IDS
    for scenario in scenarios:
        assert len(scenario.items) >= 4
        assert {item.language for item in scenario.items} >= {"en", "zh"}
        assert set(scenario.title) == set(scenario.description) == {"en", "zh"}


def test_item_ids_are_unique_across_scenarios() -> None:
    assert len(ITEMS) == sum(len(scenario.items) for scenario in load_scenarios())


def test_scenarios_are_chosen_by_id_in_the_order_given() -> None:
    assert [scenario.id for scenario in load_scenarios(["multilingual", "json_output"])] == [
        "multilingual",
        "json_output",
    ]


def test_unknown_scenario_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"unknown scenario 'poetry'; there are: role_play, json_output"):
        load_scenarios(["poetry"])


def test_conversation_fills_in_the_answers_given_so_far() -> None:
    item = ITEMS["ships_cook"]
    assert item.turns == 4
    assert [message["role"] for message in item.conversation([])] == ["system", "user"]
    later = item.conversation(["first", "second"])
    assert [message["role"] for message in later] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert [message["content"] for message in later if message["role"] == "assistant"] == ["first", "second"]
    assert later[-1] == item.messages[3]
    with pytest.raises(ValueError, match="4 user turns; 4 are answered"):
        item.conversation(["a", "b", "c", "d"])


def test_judging_needs_an_answer_for_each_turn() -> None:
    with pytest.raises(ValueError, match="2 user turns but got 1 answers"):
        judge(ITEMS["bookshop_assistant"], ["亲，有的。"])


def test_only_the_last_answer_is_judged() -> None:
    item = ITEMS["bookshop_assistant"]
    good = "亲，价格需要核实，请稍等。"
    assert run_passes(judge(item, ["35元", good]))
    assert not run_passes(judge(item, [good, "亲，35元。"]))


RIGHT_ANSWERS = {
    "ships_cook": "On a clear day the sky is blue. — Captain Lin",
    "gardener_under_pressure": "太阳从东方升起。——老周",
    "bookshop_assistant": "亲，这本书的价格我需要去核实，请稍等。",
    "pool_two_pipes": (
        "A fills 3/12 = 1/4 in 3 hours. Left: 3/4. Both: 1/12 + 1/15 = 9/60. 3/4 ÷ 9/60 = 5.\nAnswer: 5"
    ),
    "ages": "年龄差是 30 岁，那时小明 15 岁。15 - 8 = 7\n答案：7",
    "trains_meet": "480 ÷ 160 = 3\n答案：3",
    "change_from_note": "48 + 27 = 75, 100 - 75 = 25\nAnswer: 25",
    "discount": "320 × 0.7 = 224\n答案：224",
    "linear_equation": "7x = 56\nx = 8\nAnswer: 8",
    "greatest_common_divisor": (
        "```python\ndef gcd(a: int, b: int) -> int:\n    while b:\n        a, b = b, a % b\n    return a\n```"
    ),
    "count_words": (
        "from collections import Counter\n\ndef count_words(text: str) -> dict:\n"
        "    return Counter(text.lower().split())\n"
    ),
    "is_prime": "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))\n",
    "reverse_words": "def reverse_words(sentence):\n    return ' '.join(sentence.split()[::-1])\n",
    "products": json.dumps(
        [{"id": n, "name": "台灯", "category": "toy", "price": 9.5, "in_stock": True} for n in range(4)],
        ensure_ascii=False,
    ),
    "employees_zh": json.dumps(
        [
            {"id": n, "name": "张伟", "department": "技术部", "salary": 8000, "join_date": "2020-01-31"}
            for n in range(3)
        ]
    ),
    "tea_french": (
        "1. Faites bouillir de l'eau fraîche.\n2. Réchauffez la théière avec un peu d'eau chaude.\n"
        "3. Ajoutez les feuilles de thé dans la théière.\n4. Versez l'eau chaude sur le thé.\n"
        "5. Laissez infuser le thé trois minutes."
    ),
}


@pytest.mark.parametrize("item_id", RIGHT_ANSWERS)
def test_right_answers_pass(item_id: str) -> None:
    item = ITEMS[item_id]
    results = judge(item, [""] * (item.turns - 1) + [RIGHT_ANSWERS[item_id]])
    assert run_passes(results), [result for result in results if not result.passed]


@pytest.mark.parametrize("item", ITEMS.values(), ids=lambda item: item.id)
def test_an_empty_answer_passes_nowhere(item: Item) -> None:
    assert not run_passes(judge(item, [""] * item.turns))


def scenario_data(**changes: Any) -> dict[str, Any]:
    item = {
        "id": "one",
        "language": "en",
        "messages": [{"role": "user", "content": "2 + 2?"}],
        "checks": [{"check": "final_number", "expected": "2 + 2"}],
        "answer": "number",
        "max_tokens": 20,
    }
    texts = {"en": "Sums", "zh": "加法"}
    return {"id": "sums", "title": texts, "description": texts, "items": [item | changes]}


def written(folder: Path, data: Any) -> Path:
    file = folder / "sums.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return file


def test_a_scenario_of_ones_own_is_one_file(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, scenario_data()))
    [item] = scenario.items
    assert run_passes(judge(item, ["Answer: 4"]))
    assert item.answer_of("It is 4.0") == item.comparable_answer("4") == "4"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{", "sums.json: not valid JSON"),
        (scenario_data(id="One"), "items/0/id"),
        (scenario_data(language="english"), "items/0/language"),
        (scenario_data(max_tokens=0), "items/0/max_tokens"),
        (scenario_data(answer="image"), "items/0/answer"),
        (scenario_data(messages=[]), "items/0/messages"),
        (scenario_data(hint="no"), "hint"),
        (scenario_data(messages=[{"role": "system", "content": "x"}]), "item 'one': messages must be"),
        (
            scenario_data(messages=[{"role": "user", "content": "x"}, {"role": "system", "content": "x"}]),
            "item 'one': messages must be",
        ),
        (scenario_data(checks=[{"check": "magic"}]), "item 'one': unknown check 'magic'"),
        (scenario_data(checks=[{"check": "final_number"}]), "item 'one': check 'final_number'"),
        (scenario_data(probes=[]), "items/0/probes"),
        (scenario_data(recovery="luck"), "items/0/recovery"),
        (
            scenario_data(
                messages=[{"role": "user", "content": "It says: {verdict}", "when_right": "Fine."}]
            ),
            "item 'one': user turn 1: {verdict} and when_right go together",
        ),
        (
            scenario_data(
                messages=[{"role": "user", "content": "x"}, {"role": "user", "content": "{verdict}"}]
            ),
            "item 'one': user turn 2: {verdict} and when_right go together",
        ),
        (scenario_data(probes=[0, 1]), "items/0/probes"),
        (scenario_data(probes=[2]), "end with the last of its 1 user turns, got [2]"),
        (scenario_data(probes=[1, 1]), "item 'one': probes must ascend"),
        ({**scenario_data(), "items": scenario_data()["items"] * 2}, "item id 'one' is used 2 times"),
        ({**scenario_data(), "title": {"en": "Sums"}}, "title"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"sums\.json") as raised:
        load_scenario(written(tmp_path, data))
    assert message in str(raised.value)
