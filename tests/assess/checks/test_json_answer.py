"""The four rates of JSON answers are kept apart, and planted defects are named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wending.assess.checks import CheckResult, run_check, run_passes
from wending.assess.scenarios import load_scenarios

GOOD = [
    {
        "id": number,
        "name": f"Name {number}",
        "department": "Sales",
        "salary": 9000 + number,
        "join_date": "2021-02-28",
    }
    for number in range(1, 6)
]


def expectation(item_id: str = "employees") -> dict[str, Any]:
    [scenario] = load_scenarios(["json_output"])
    [item] = [item for item in scenario.items if item.id == item_id]
    return dict(item.checks[0].expectation)


def verdicts(answer: str, item_id: str = "employees") -> dict[str, CheckResult]:
    return {result.name: result for result in run_check("json", answer, expectation(item_id))}


def failed(answer: str, item_id: str = "employees") -> set[str]:
    return {name for name, result in verdicts(answer, item_id).items() if not result.passed}


def problems(answer: str, item_id: str = "employees") -> list[str]:
    return [result.problem for result in verdicts(answer, item_id).values() if result.problem]


def changed(index: int, **values: Any) -> str:
    employees = [dict(employee) for employee in GOOD]
    employees[index] |= values
    return json.dumps(employees)


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(GOOD),
        json.dumps(GOOD, indent=2),
        "\n\n" + json.dumps(GOOD, ensure_ascii=False) + "\n",
        f"```json\n{json.dumps(GOOD)}\n```",
        f"```\n{json.dumps(GOOD, indent=4)}\n```\n",
        changed(0, salary=8000),
        changed(0, salary=25000),
        changed(0, join_date="2024-02-29"),
    ],
)
def test_good_answers_pass_everything(answer: str) -> None:
    assert failed(answer) == set()


def test_trailing_comma_is_repairable_and_named() -> None:
    for answer in (json.dumps(GOOD)[:-1] + ",]", json.dumps(GOOD, indent=2).replace('28"\n', '28",\n')):
        assert failed(answer) == {"json_parses", "json_schema", "json_values"}
        assert problems(answer) == ["trailing_comma"]
        assert verdicts(answer)["json_repairable"].passed
        assert "line" in verdicts(answer)["json_parses"].reason


def test_broken_json_is_named_and_places_the_error() -> None:
    answer = json.dumps(GOOD).replace('"name": "Name 2"', '"name": Name 2')
    assert problems(answer) == ["broken_json"]
    assert "column" in verdicts(answer)["json_parses"].reason


def test_cut_off_json_does_not_parse() -> None:
    answer = json.dumps(GOOD)[:120]
    assert {"json_parses", "json_values"} <= failed(answer)
    assert problems(answer) == ["broken_json"]


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("2021/02/28", "not written YYYY-MM-DD"),
        ("28-02-2021", "not written YYYY-MM-DD"),
        ("2021-2-8", "not written YYYY-MM-DD"),
        ("28 February 2021", "not written YYYY-MM-DD"),
        ("2021年2月28日", "not written YYYY-MM-DD"),
        ("2021-02-28T00:00:00", "not written YYYY-MM-DD"),
        ("2023-02-30", "no date of the calendar"),
        ("2023-13-01", "no date of the calendar"),
    ],
)
def test_a_date_of_another_form_or_of_no_calendar_is_a_wrong_date(date: str, said: str) -> None:
    answer = changed(3, join_date=date)
    assert failed(answer) == {"json_values"}
    assert problems(answer) == ["wrong_date"]
    assert f"3/join_date: {date!r} is {said}" in verdicts(answer)["json_values"].reason


def test_a_wrong_date_is_named_even_beside_other_wrong_values() -> None:
    assert problems(changed(3, join_date="2021/02/28", salary=1)) == ["wrong_date"]


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        ("2024-02-30T10:00:00Z", "wrong_date"),
        ("2024/02/28T10:00:00Z", "wrong_date"),
        ("2024-02-28T10:00:00", "wrong_values"),
        ("2024-02-28T25:00:00Z", "wrong_values"),
    ],
)
def test_of_a_date_and_time_only_the_date_makes_a_wrong_date(start: str, problem: str) -> None:
    answer = json.dumps({"at": start})
    schema = {"properties": {"at": {"type": "string", "format": "date-time"}}}
    results = run_check("json", answer, {"schema": {"type": "object"}, "values": schema})
    assert [result.problem for result in results if result.problem] == [problem]


@pytest.mark.parametrize(
    ("day", "problem"),
    [("2025-02-30", "wrong_date"), ("3 September 2025", "wrong_date"), ("2025-09-04", "wrong_values")],
)
def test_where_one_value_is_right_wrong_dates_in_it_are_told_apart(day: str, problem: str) -> None:
    right = {"flights": [{"to": "Oslo", "date": "2025-09-03"}]}
    expected = {"schema": {"type": "object"}, "values": {"const": right}}
    answer = json.dumps({"flights": [{"to": "Oslo", "date": day}]})
    results = {result.name: result for result in run_check("json", answer, expected)}
    assert results["json_values"].problem == problem
    assert ("flights/0/date" in results["json_values"].reason) == (problem == "wrong_date")


@pytest.mark.parametrize(
    "values",
    [
        {"salary": 7999},
        {"salary": 25001},
        {"department": "Legal"},
        {"id": 1},
        {"name": ""},
    ],
)
def test_wrong_values_are_kept_apart_from_the_shape(values: dict[str, Any]) -> None:
    answer = changed(2, **values)
    assert failed(answer) == {"json_values"}
    assert problems(answer) == ["wrong_values"]


def test_wrong_count_is_a_wrong_value() -> None:
    assert failed(json.dumps(GOOD[:4])) == {"json_values"}
    assert failed(json.dumps([*GOOD, {**GOOD[0], "id": 6}])) == {"json_values"}


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"employees": GOOD}),
        json.dumps([{**GOOD[0], "salary": "9000"}, *GOOD[1:]]),
        json.dumps([{key: value for key, value in GOOD[0].items() if key != "name"}, *GOOD[1:]]),
        json.dumps([{**GOOD[0], "extra": 1}, *GOOD[1:]]),
        "5",
    ],
)
def test_wrong_shape_is_a_schema_mismatch(answer: str) -> None:
    assert {"json_schema", "json_repairable", "json_values"} <= failed(answer)
    assert "json_parses" not in failed(answer)
    assert "schema_mismatch" in problems(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Here are the employees:\n```json\n" + json.dumps(GOOD) + "\n```",
        "```json\n" + json.dumps(GOOD) + "\n```\nLet me know if you need more.",
        json.dumps(GOOD) + "\n\nI hope this helps.",
        "Sure! " + json.dumps(GOOD),
    ],
)
def test_text_around_the_json_is_its_own_problem(answer: str) -> None:
    assert "json_only" in failed(answer)
    assert problems(answer) == ["extra_text"]
    assert verdicts(answer)["json_repairable"].passed


def test_fenced_json_with_prose_around_still_has_right_values() -> None:
    assert failed("Here:\n```json\n" + json.dumps(GOOD) + "\n```") == {"json_only"}


@pytest.mark.parametrize("answer", ["", "I am sorry, I cannot do that.", "[" * 5000, "[NaN]", "{'id': 1}"])
def test_no_json_at_all_fails(answer: str) -> None:
    assert "json_parses" in failed(answer)
    assert not run_passes(verdicts(answer).values())


def test_repairable_never_decides_the_run() -> None:
    assert verdicts(json.dumps(GOOD))["json_repairable"].informative
    assert run_passes([CheckResult("a", True, ""), CheckResult("b", False, "", informative=True)])


def test_nested_order_and_dates_within_a_range() -> None:
    order = {
        "order_id": "A-1",
        "customer": {"name": "Li", "city": "Oslo"},
        "items": [
            {"sku": "a", "quantity": 1, "unit_price": 2.5},
            {"sku": "b", "quantity": 2, "unit_price": 1},
        ],
        "order_date": "2024-05-01",
    }
    assert failed(json.dumps(order), "order") == set()
    order["items"][1]["quantity"] = 0  # type: ignore[index]
    assert failed(json.dumps(order), "order") == {"json_values"}
    meeting = {"title": "团队会议", "city": "北京", "date": "2025-06-30", "attendees": 20}
    assert failed(json.dumps([meeting] * 3), "meetings") == set()
    outside = json.dumps([meeting, meeting, {**meeting, "date": "2026-01-01"}])
    assert "2026-01-01 is not within" in verdicts(outside, "meetings")["json_values"].reason
