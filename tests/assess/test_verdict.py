from __future__ import annotations

from typing import Any

import pytest

from wending.assess.stats import wilson
from wending.assess.verdict import verdict_json


def words(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def rate(k: int, n: int, low: float, high: float) -> dict[str, Any]:
    return {"k": k, "n": n, "low": low, "high": high}


def row(ok: bool | None, recovered_s: float | None) -> dict[str, Any]:
    return {"title": words("a fault"), "ok": ok, "recovered_s": recovered_s}


def failed(k: int, n: int, high: float) -> dict[str, Any]:
    return {"all": rate(k, n, 0.0, high)}


def performance(
    request_type: str = "short", most: int = 8, *, at_least: bool = False, valid: tuple[int, int] = (80, 80)
) -> dict[str, Any]:
    interval = wilson(*valid)
    assert interval is not None
    return {
        "request_type": request_type,
        "max_concurrency": most,
        "at_least": at_least,
        "goodput": rate(*valid, *interval) if most else None,
    }


def report(**changes: Any) -> dict[str, Any]:
    return {
        "complete": True,
        "failed_requests": failed(0, 500, 0.0075),
        "pass_rate": rate(95, 100, 0.89, 0.98),
        "scenarios": scenarios(rate(95, 100, 0.89, 0.98)),
        "agreement": {"changed_under_load": rate(0, 60, 0.0, 0.06)},
        "performance": [performance()],
        "recovery": {"rows": [row(True, 0.1), row(None, None)]},
    } | changes


def scenarios(*rates: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"title": words("S"), "pass_rate": one} for one in rates]


@pytest.mark.parametrize(
    ("changes", "level", "outcomes"),
    [
        ({}, "holds", {}),
        ({"recovery": None, "performance": []}, "holds", {"faults": "unmeasured", "capacity": "unmeasured"}),
        ({"complete": False}, "undecided", {}),
        ({"failed_requests": failed(2, 1000, 0.0073)}, "holds", {"answers": "met"}),
        ({"failed_requests": failed(1, 100, 0.054)}, "holds_with_conditions", {"answers": "uncertain"}),
        ({"failed_requests": failed(0, 6, 0.39)}, "holds_with_conditions", {"answers": "uncertain"}),
        ({"failed_requests": failed(0, 298, 0.013)}, "holds_with_conditions", {"answers": "uncertain"}),
        ({"failed_requests": failed(0, 299, 0.013)}, "holds", {"answers": "met"}),
        ({"failed_requests": failed(2, 100, 0.07)}, "does_not_hold", {"answers": "missed"}),
        (
            {"scenarios": scenarios(rate(20, 20, 0.84, 1.0), rate(9, 10, 0.6, 0.98))},
            "holds_with_conditions",
            {"pass_rate": "uncertain", "floor": "met"},
        ),
        (
            {"scenarios": scenarios(rate(20, 20, 0.84, 1.0), rate(70, 100, 0.6, 0.78))},
            "holds_with_conditions",
            {"pass_rate": "missed", "floor": "met"},
        ),
        (
            {"scenarios": scenarios(rate(20, 20, 0.84, 1.0), rate(4, 20, 0.05, 0.51))},
            "holds_with_conditions",
            {"pass_rate": "missed", "floor": "met"},
        ),
        (
            {"scenarios": scenarios(rate(20, 20, 0.84, 1.0), rate(4, 30, 0.05, 0.3))},
            "does_not_hold",
            {"pass_rate": "missed", "floor": "missed"},
        ),
        (
            {"scenarios": scenarios(rate(0, 6, 0.0, 0.79)), "pass_rate": rate(0, 6, 0.0, 0.79)},
            "does_not_hold",
            {"floor": "missed"},
        ),
        (
            {"scenarios": scenarios(*[rate(1, 4, 0.05, 0.7)] * 5), "pass_rate": rate(5, 20, 0.11, 0.47)},
            "does_not_hold",
            {"floor": "missed"},
        ),
        (
            {"agreement": {"changed_under_load": rate(1, 20, 0.01, 0.24)}},
            "holds_with_conditions",
            {"agreement": "missed"},
        ),
        (
            {"agreement": {"changed_under_load": rate(0, 6, 0.0, 0.39)}},
            "holds_with_conditions",
            {"agreement": "uncertain"},
        ),
        (
            {"performance": [performance("long", 0)]},
            "does_not_hold",
            {"capacity": "missed", "valid_answers": "unmeasured"},
        ),
        (
            {"performance": [performance(), performance("json", 64, valid=(64, 192))]},
            "holds_with_conditions",
            {"capacity": "met", "valid_answers": "missed"},
        ),
        (
            {"performance": [performance(valid=(4, 4))]},
            "holds_with_conditions",
            {"valid_answers": "uncertain"},
        ),
        (
            {"recovery": {"rows": [row(False, 0.2)]}},
            "holds_with_conditions",
            {"faults": "missed", "comes_back": "met"},
        ),
        (
            {"recovery": {"rows": [row(True, 0.2), row(False, None)]}},
            "does_not_hold",
            {"comes_back": "missed"},
        ),
    ],
)
def test_the_rules(changes: dict[str, Any], level: str, outcomes: dict[str, str]) -> None:
    verdict = verdict_json(report(**changes))
    found = {rule["id"]: rule["outcome"] for rule in verdict["rules"]}
    assert {name: found[name] for name in outcomes} == outcomes
    assert verdict["level"] == level
    assert all(rule["finding"]["en"] and rule["finding"]["zh"] for rule in verdict["rules"])


@pytest.mark.parametrize(
    ("at_least", "english", "chinese"),
    [
        (True, "lowest: at least 64 at once (JSON)", "最低：同时至少 64 路（JSON）"),
        (False, "lowest: 64 at once (JSON)", "最低：同时 64 路（JSON）"),
    ],
)
def test_a_capacity_that_may_be_higher_says_so(at_least: bool, english: str, chinese: str) -> None:
    found = verdict_json(report(performance=[performance("json", 64, at_least=at_least)]))
    [rule] = [rule for rule in found["rules"] if rule["id"] == "capacity"]
    assert rule["finding"] == {"en": english, "zh": chinese}


def test_nothing_measured_is_not_decided() -> None:
    nothing = report(
        scenarios=[],
        failed_requests=failed(0, 0, 0.0),
        agreement={"changed_under_load": None},
        performance=[],
        recovery=None,
    )
    assert verdict_json(nothing)["level"] == "undecided"
