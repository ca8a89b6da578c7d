"""Planted defects come out of the classification with the right type and frequency."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from wending.assess.endpoint_errors import BadStatus, EndpointError, OutOfSockets
from wending.assess.problems import FAILED_REQUESTS, PROBLEMS
from wending.assess.scenarios import judge, load_scenarios
from wending.assess.stability import EXAMPLE_LENGTH, JudgedRun, find_problems
from wending.assess.stats import rate_over_items, wilson

ITEMS = {item.id: (scenario.id, item) for scenario in load_scenarios() for item in scenario.items}
EMPLOYEES = [
    {"id": n, "name": f"N{n}", "department": "Sales", "salary": 9000, "join_date": f"2021-03-0{n}"}
    for n in range(1, 6)
]
GOOD_JSON = json.dumps(EMPLOYEES)


def run(item_id: str, answer: str, finish_reason: str = "stop", earlier: Sequence[str] = ()) -> JudgedRun:
    scenario, item = ITEMS[item_id]
    answers = [*earlier, *[""] * (item.turns - 1 - len(earlier)), answer]
    cut = [item.turns] if finish_reason == "length" else []
    return JudgedRun(
        scenario, item_id, answers, judge(item, answers), cut, answer=item.comparable_answer(answer)
    )


def found(runs: list[JudgedRun]) -> dict[str, int]:
    return {problem.type: problem.k for problem in find_problems(runs)}


def test_no_problems_in_good_runs() -> None:
    assert find_problems([run("employees", GOOD_JSON)] * 5) == []
    assert find_problems([]) == []


def test_planted_json_defects_are_counted_with_their_interval() -> None:
    runs = [run("employees", GOOD_JSON)] * 5
    runs += [run("employees", GOOD_JSON[:-1] + ",]")] * 2
    runs += [run("employees", GOOD_JSON.replace("2021-03-04", "2021/03/04"))] * 3
    problems = find_problems(runs)
    assert [(problem.type, problem.k, problem.n) for problem in problems] == [
        ("wrong_date", 3, 10),
        ("trailing_comma", 2, 10),
    ]
    assert problems[0].interval == rate_over_items([[True] * 3 + [False] * 7]).interval
    assert problems[0].scenario == "json_output"
    assert problems[0].example.startswith("employees: ")
    assert "2021/03/04" in problems[0].example
    assert "json_schema" in problems[1].action["en"]
    assert problems[1].action["zh"]


def test_the_interval_knows_that_repeats_of_an_item_are_not_independent() -> None:
    """Two items that always fail among eight that never do say less than 10 of 50 independent runs."""
    items = [item for scenario, item in ITEMS.values() if scenario == "math_reasoning"][:10]
    answers = {item.id: "Answer: -7" if number < 2 else "" for number, item in enumerate(items)}
    runs = [
        JudgedRun("math_reasoning", name, (answer,), judge(ITEMS[name][1], [answer]) if answer else ())
        for name, answer in answers.items()
        for _ in range(5)
    ]
    [problem] = find_problems(runs)
    assert (problem.type, problem.k, problem.n) == ("wrong_answer", 10, 50)
    assert problem.interval == rate_over_items([[True] * 5] * 2 + [[False] * 5] * 8).interval
    plain = wilson(10, 50)
    assert plain is not None
    assert problem.interval.high - problem.interval.low > 1.8 * (plain.high - plain.low)


@pytest.mark.parametrize(
    ("item_id", "answer", "problem"),
    [
        ("employees", "Sure:\n```json\n" + GOOD_JSON + "\n```", "extra_text"),
        ("employees", GOOD_JSON.replace("9000", "90"), "wrong_values"),
        ("employees", GOOD_JSON.replace("2021-03-04", "2021-02-30"), "wrong_date"),
        ("employees", json.dumps({"list": EMPLOYEES}), "schema_mismatch"),
        ("employees", GOOD_JSON.replace(":", ""), "broken_json"),
        ("pool_two_pipes", "Answer: 6", "wrong_answer"),
        ("palindrome", "def is_palindrome(s):\n    return True", "code_fails_tests"),
        ("palindrome", "def is_palindrome(s:", "code_does_not_parse"),
        ("ships_cook", "On a clear day the sky is blue, you know.", "role_forgotten"),
        ("bookshop_assistant", "亲，这本书三十五元，欢迎购买。", "forbidden_content"),
        ("ships_cook", "One. Two. Three. Four and five. — Captain Lin", "constraint_broken"),
        ("tea_french", "1. Boil the water in a kettle.\n2. Pour the water over the tea.", "wrong_language"),
        (
            "tea_french",
            "Faites bouillir de l'eau, versez sur le thé et attendez dans la tasse.",
            "missing_steps",
        ),
        (
            "fried_egg_english",
            "\n".join(f"{n}. Heat the thing slowly and wait." for n in range(1, 6)),
            "missing_terms",
        ),
        ("register_endpoint", "@app.post('/x')\ndef register():\n    return {}", "missing_rule"),
    ],
)
def test_each_planted_fault_is_named(item_id: str, answer: str, problem: str) -> None:
    assert problem in found([run(item_id, answer)])


def test_an_answer_cut_off_counts_as_truncated_only() -> None:
    assert found([run("employees", GOOD_JSON[:100], "length")]) == {"truncated": 1}


def test_a_good_answer_at_the_token_limit_is_no_problem() -> None:
    assert found([run("employees", GOOD_JSON, "length")]) == {}


@pytest.mark.parametrize("kind", FAILED_REQUESTS)
def test_failed_requests_are_named_by_their_kind(kind: str) -> None:
    assert kind in PROBLEMS
    failed = JudgedRun("json_output", "employees", (), (), error="HTTP 503: overloaded", error_type=kind)
    problems = find_problems([run("employees", GOOD_JSON), failed])
    assert [(problem.type, problem.k, problem.n) for problem in problems] == [(kind, 1, 2)]
    assert problems[0].example == "employees: HTTP 503: overloaded"
    assert problems[0].severity == "high"


def test_every_kind_of_error_that_ends_a_request_is_a_type_of_problem() -> None:
    kinds = {error.kind for error in EndpointError.__subclasses__() if error is not BadStatus}
    kinds |= {BadStatus(status, "").kind for status in (200, 302, 400, 404, 429, 500, 503)}
    # This machine's fault, which makes a level invalid.
    assert kinds - {OutOfSockets.kind} == set(FAILED_REQUESTS)


def test_an_answer_without_text_counts_as_empty_only() -> None:
    assert found([run("employees", " \n")]) == {"empty_answer": 1}
    assert found([run("employees", "", "length")]) == {"truncated": 1}


def test_a_repeat_that_deviates_is_unstable() -> None:
    runs = [run("pool_two_pipes", f"Answer: {number}") for number in (5, 5, 6, 5, 5)]
    assert found(runs) == {"wrong_answer": 1, "unstable_answer": 1}
    [unstable] = [problem for problem in find_problems(runs) if problem.type == "unstable_answer"]
    assert unstable.example == "pool_two_pipes: answered 6; 4 of 5 repeats answered 5"


def test_a_repeat_that_was_cut_off_before_its_answer_is_not_unstable() -> None:
    runs = [run("pool_two_pipes", "Answer: 5")] * 4 + [run("pool_two_pipes", "In 12 hours", "length")]
    assert found(runs) == {"truncated": 1}


def test_always_the_same_wrong_answer_is_stable() -> None:
    assert found([run("pool_two_pipes", "Answer: 6")] * 5) == {"wrong_answer": 5}


def test_two_checks_with_the_same_problem_count_once_a_run() -> None:
    problems = found([run("register_endpoint", "@app.post('/x')\ndef register():\n    return {}")] * 2)
    assert problems["missing_rule"] == 2


def test_problems_are_kept_apart_by_scenario() -> None:
    runs = [run("employees", "no"), run("pool_two_pipes", "no")]
    assert {(problem.scenario, problem.n) for problem in find_problems(runs)} == {
        ("json_output", 1),
        ("math_reasoning", 1),
    }


def test_examples_are_short_lines() -> None:
    [problem] = find_problems([JudgedRun("s", "i", (), (), error="long\n" * 200, error_type="timeout")])
    assert len(problem.example) == EXAMPLE_LENGTH
    assert problem.example.endswith("…")
    assert "\n" not in problem.example


def test_every_problem_has_a_title_and_an_action_in_both_languages() -> None:
    for problem in PROBLEMS.values():
        for text in (problem.title, problem.action):
            assert set(text) == {"en", "zh"}
            assert all(text.values())
