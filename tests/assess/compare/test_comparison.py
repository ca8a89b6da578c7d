"""What is found to be worse, and what is not: chance, what only one has, noise of the clock."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.assess.compare.made_report import FAULTS, PASSES, TTFT, made_report

from wending.assess.compare.comparison import Row, compare, worse


def names(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    return [row.name for row in worse(compare(first, second))]


def row_of(first: dict[str, Any], second: dict[str, Any], name: str) -> Row:
    return next(row for row in compare(first, second) if row.name == name)


@pytest.mark.parametrize(
    ("second", "name"),
    [
        (made_report(ttft=[135 * value for value in TTFT[:4]]), "short: first token"),
        (made_report(changed=16), "changed under load"),
        (made_report(failed=70), "runs whose request failed"),
        (made_report(values_right=5), "Sums: values right, with schema"),
        (made_report(faults=dict.fromkeys(FAULTS, False)), "faults come through"),
    ],
)
def test_each_figure_that_is_worse_beyond_doubt(second: dict[str, Any], name: str) -> None:
    assert names(made_report(), second) == [name]
    assert names(second, made_report()) == []


def test_all_items_that_change_alike_are_worse_though_their_mean_has_no_interval() -> None:
    none = {item: [False] * 5 for item in PASSES}
    assert names(made_report(), made_report(none)) == ["Sums: passed", "Sums: values right"]
    of_three = [{item: [ok] for item in "abc"} for ok in (True, False)]
    assert names(made_report(of_three[0]), made_report(of_three[1])) == []


def test_what_the_counts_cannot_carry_is_not_worse() -> None:
    three = made_report(ttft=TTFT[:3])
    assert names(three, made_report(ttft=[135 * value for value in TTFT[:3]])) == []
    two_faults = {**FAULTS, "1": False, "2": False}
    assert names(made_report(), made_report(faults=two_faults)) == []
    assert row_of(
        made_report(), made_report(faults=two_faults), "faults come through"
    ).change == pytest.approx(-1 / 6)


def test_times_within_the_noise_of_a_machine_are_not_worse() -> None:
    assert names(made_report(), made_report(ttft=[1.04 * value + 0.0001 for value in TTFT])) == []


def test_among_many_figures_chance_alone_is_seldom_called_worse() -> None:
    """Of two assessments of one endpoint, each with its own chance."""
    numbers, alarms = np.random.default_rng(7), 0
    items = numbers.uniform(0.2, 1, 20)

    def one() -> dict[str, Any]:
        passes = {str(i): [bool(x) for x in numbers.random(5) < rate] for i, rate in enumerate(items)}
        return made_report(passes, ttft=(0.1 * numbers.lognormal(0, 0.3, 20)).tolist())

    for _ in range(200):
        alarms += bool(names(one(), one()))
    assert alarms <= 10


def test_rates_are_those_of_the_items_that_both_have() -> None:
    first = made_report({"a": [True], "b": [True], "c": [False]})
    row = row_of(first, made_report({"a": [True], "b": [False], "d": [False]}), "Sums: passed")
    assert (row.first, row.second, row.change) == (1.0, 0.5, -0.5)


def test_a_figure_that_one_did_not_get_is_a_row_without_a_change() -> None:
    lost = row_of(made_report(), made_report(ttft=[]), "short: first token")
    assert lost.is_lost
    assert lost.second is None
    assert not row_of(made_report(ttft=[]), made_report(), "short: first token").is_lost
    assert row_of(made_report(), made_report(changed=None), "changed under load").is_lost


def test_capacities_of_none() -> None:
    def change(first: int | None, second: int | None) -> float | None:
        pair = made_report(concurrency=first), made_report(concurrency=second)
        return row_of(*pair, "short: at once").change

    assert [change(0, 8), change(0, 0), change(8, 0), change(8, None)] == [math.inf, 1.0, 0.0, None]


def test_reports_without_the_younger_parts() -> None:
    old = made_report()
    del old["recovery"], old["scenarios"][0]["response_format"], old["scenarios"][0]["json_rates"]
    kinds = {row.kind for row in compare(old, made_report())}
    assert kinds == {"pass_rate", "failed_requests", "changed_under_load", "ttft", "speed", "concurrency"}
