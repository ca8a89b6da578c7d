"""Sums, products, counts, order and difference inside JSON values, at any depth."""

from __future__ import annotations

from typing import Any

import pytest

from wending.assess.checks import run_check
from wending.assess.checks.json_relation import violations

BILL = {
    "lines": [{"price": 0.1, "count": 3, "amount": 0.3}, {"price": 2, "count": 2, "amount": 4}],
    "total": 4.3,
    "number": 2,
}
HOLDING: list[dict[str, Any]] = [
    {"sum": "lines/*/amount", "equals": "total"},
    {"sum": ["lines/*/amount", 0.7], "equals": 5},
    {"of": "lines/*", "product": ["price", "count"], "equals": "amount"},
    {"count": "lines/*", "equals": "number"},
    {"ascending": "lines/*/price"},
    {"descending": "lines/*/count"},
    {"unique": "lines/*/price"},
    {"of": "lines/*", "ascending": ["price", "nowhere"]},
    {"unique": "nowhere/*/at/all"},
]
BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"sum": "lines/*/amount", "equals": "number"},
     "the sum of lines/*/amount is 4.3, not number = 2", "lines/*/amount 之和为 4.3，不是 number = 2"),
    ({"of": "lines/*", "product": ["price", "count"], "equals": "price"},
     "the product of price, count is 0.3, not price = 0.1", "price, count 之积为 0.3，不是 price = 0.1"),
    ({"count": "lines/*", "equals": 3}, "the count of lines/* is 2, not 3", "lines/* 的个数为 2，不是 3"),
    ({"ascending": "lines/*/count"},
     "lines/*/count is not ascending: 2 after 3", "lines/*/count 不是升序：3 之后是 2"),
    ({"descending": ["number", "number"]},
     "number, number is not descending: 2 after 2", "number, number 不是降序：2 之后是 2"),
    ({"unique": ["number", "lines/*/count"]},
     "number, lines/*/count 2 occurs more than once", "number, lines/*/count 2 重复出现"),
]  # fmt: skip


@pytest.mark.parametrize("relation", HOLDING, ids=str)
def test_relations_that_hold(relation: dict[str, Any]) -> None:
    assert violations(BILL, [relation]) == []


@pytest.mark.parametrize(("relation", "english", "chinese"), BROKEN, ids=lambda value: str(value)[:40])
def test_relations_that_do_not(relation: dict[str, Any], english: str, chinese: str) -> None:
    found = violations(BILL, [relation])
    assert (found[0], found[0].zh) == (english, chinese)


@pytest.mark.parametrize("number", [10**4200, -(10**4200), float("inf"), 1e308, True, "4", None])
def test_numbers_of_any_size_and_what_is_none(number: Any) -> None:
    value = {"a": [number, 1], "b": 1}
    for relation in (
        {"sum": "a/*", "equals": "b"},
        {"product": "a/*", "equals": "b"},
        {"sum": "b", "equals": "c"},
    ):
        assert len(violations(value | {"c": number}, [relation])) == 1
    assert violations({"a": ["x", 1]}, [{"ascending": "a/*"}])


def test_an_unknown_relation_is_named() -> None:
    with pytest.raises(ValueError, match="'average' is none of sum, product, count"):
        violations(BILL, [{"average": "lines/*/price", "equals": "total"}])


def test_the_json_check_reports_them_as_values() -> None:
    expectation = {
        "schema": {"type": "object"},
        "values": {},
        "relations": [{"sum": "parts/*", "equals": "whole"}],
    }
    results = {
        result.name: result for result in run_check("json", '{"parts": [1, 2], "whole": 4}', expectation)
    }
    assert results["json_schema"].passed
    assert results["json_values"].problem == "wrong_values"
    assert "the sum of parts/* is 3, not whole = 4" in results["json_values"].reason
