from __future__ import annotations

from typing import Any

import pytest

from wending.assess.verdict import verdict_json


def words(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def rate(k: int, n: int, low: float, high: float) -> dict[str, Any]:
    return {"k": k, "n": n, "low": low, "high": high}


def row(ok: bool | None, recovered_s: float | None) -> dict[str, Any]:
    return {"title": words("a fault"), "ok": ok, "recovered_s": recovered_s}


def report(**changes: Any) -> dict[str, Any]:
    runs = [{"error": None}] * 100
    return {
        "complete": True,
        "scenarios": [{"title": words("S"), "runs": runs, "pass_rate": rate(95, 100, 0.89, 0.98)}],
        "agreement": {"changed_under_load": rate(0, 20, 0.0, 0.16)},
        "performance": [{"request_type": "short", "max_concurrency": 8}],
        "recovery": {"rows": [row(True, 0.1), row(None, None)]},
    } | changes


def scenarios(*rates: dict[str, Any], errors: int = 0) -> list[dict[str, Any]]:
    runs = [{"error": "lost" if number < errors else None} for number in range(100)]
    return [{"title": words("S"), "runs": runs, "pass_rate": one} for one in rates]


@pytest.mark.parametrize(
    ("changes", "level", "outcomes"),
    [
        ({}, "holds", {}),
        ({"recovery": None, "performance": []}, "holds", {"faults": "unmeasured", "capacity": "unmeasured"}),
        ({"complete": False}, "undecided", {}),
        ({"scenarios": scenarios(rate(95, 100, 0.89, 0.98), errors=1)}, "holds", {"answers": "met"}),
        (
            {"scenarios": scenarios(rate(95, 100, 0.89, 0.98), errors=2)},
            "does_not_hold",
            {"answers": "missed"},
        ),
        (
            {"scenarios": scenarios(rate(20, 20, 0.84, 1.0), rate(9, 10, 0.6, 0.98))},
            "holds_with_conditions",
            {"pass_rate": "uncertain"},
        ),
        (
            {"scenarios": scenarios(rate(20, 20, 0.84, 1.0), rate(70, 100, 0.6, 0.78))},
            "holds_with_conditions",
            {"pass_rate": "missed"},
        ),
        (
            {"agreement": {"changed_under_load": rate(1, 20, 0.01, 0.24)}},
            "holds_with_conditions",
            {"agreement": "missed"},
        ),
        (
            {"performance": [{"request_type": "long", "max_concurrency": 0}]},
            "does_not_hold",
            {"capacity": "missed"},
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
    assert verdict["level"] == level
    found = {rule["id"]: rule["outcome"] for rule in verdict["rules"]}
    assert {name: found[name] for name in outcomes} == outcomes
    assert all(rule["finding"]["en"] and rule["finding"]["zh"] for rule in verdict["rules"])


def test_nothing_measured_is_not_decided() -> None:
    nothing = report(scenarios=[], agreement={"changed_under_load": None}, performance=[], recovery=None)
    assert verdict_json(nothing)["level"] == "undecided"
