"""Reports beside each other: a row for what any of them measured, a dash where one did not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bench.peers.assessment_table import assessment_table
from tests.assess.decided import always
from tests.assess.in_thread import in_thread

from wending.assess.main import run_assessment
from wending.assess.scripted import ScriptedServer


def report(out: Path, scenario: str, performance_seconds: float) -> dict[str, Any]:
    with in_thread(ScriptedServer(always("Answer: 5 " * 6))) as endpoint:
        run_assessment(
            endpoint.base_url,
            out=out,
            scenarios=[scenario],
            repeats=1,
            agreement_repeats=2,
            performance_seconds=performance_seconds,
            language="en",
        )
    found: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    out = tmp_path_factory.mktemp("table")
    both = [report(out / "a", "math_reasoning", 1), report(out / "b", "json_output", 0)]
    lines = assessment_table(["one", "other"], both).splitlines()
    assert lines[0] == "| | one | other |"
    return {name: cells for name, *cells in (line.strip("| ").split(" | ") for line in lines[2:])}


def test_every_figure_of_either_has_a_row(rows: dict[str, list[str]]) -> None:
    assert all(len(cells) == 2 for cells in rows.values())
    passed, not_asked = rows["Mathematical reasoning"]
    assert passed.endswith("%)")
    assert not_asked == "–"
    assert rows["JSON with response_format: parses"][0] == "–"
    assert rows["JSON with response_format: parses"][1].startswith("0 / ")
    assert rows["Answers changed by load"][0].startswith("0 / ")


def test_performance_that_only_one_has(rows: dict[str, list[str]]) -> None:
    measured, not_measured = rows["First token, short: median, p95"]
    assert "(n = " in measured
    assert not_measured == "–"


def test_a_fault_that_was_made_has_a_row_and_what_happened() -> None:
    row = {
        "id": "burst",
        "title": {"en": "A burst"},
        "happened": {"en": "10 | 20"},
        "ok": False,
        "recovered_s": 0.5,
        "canary_equal": False,
    }
    skipped = {**row, "id": "kill", "title": {"en": "A kill"}, "ok": None}
    made = {
        "verdict": {"title": {"en": "Holds"}},
        "scenarios": [],
        "agreement": {"conditions": [], "changed_under_load": None},
        "performance": [],
        "recovery": {"rows": [row, skipped]},
    }
    table = assessment_table(["one", "other"], [made, {**made, "recovery": None}])
    assert r"| A burst | ✕ 10 \| 20; good answer after 500 ms, another than before | – |" in table
    assert "A kill" not in table
