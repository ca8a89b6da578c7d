"""Which files are taken for reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.assess.compare.made_report import made_report

from wending.assess.compare.report_file import load_report


def load(folder: Path, report: Any) -> Any:
    (folder / "report.json").write_text(json.dumps(report), "utf-8")
    return load_report(folder)


def test_earlier_and_later_forms_of_the_schema_are_read(tmp_path: Path) -> None:
    assert load(tmp_path, made_report() | {"a_field_of_tomorrow": 1}) == made_report() | {
        "a_field_of_tomorrow": 1
    }


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"schema": 99}, "is of schema 99; this version of wending reads schema 1"),
        ({"schema": None}, "schema"),
        ({"scenarios": {}}, "scenarios: "),
        ({"scenarios": [{"id": "s"}]}, "scenarios/0: .*required"),
        (
            {"performance": [made_report()["performance"][0] | {"max_concurrency": "8"}]},
            "performance/0/max_concurr",
        ),
        ({"agreement": {"conditions": "none"}}, "agreement/conditions: "),
        ({"recovery": {"rows": [{"id": "x"}]}}, "recovery"),
        ({"complete": "yes"}, "complete: "),
    ],
)
def test_what_is_damaged_is_named(tmp_path: Path, damage: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        load(tmp_path, made_report() | damage)
    assert str(tmp_path / "report.json") in str(caught.value)


@pytest.mark.parametrize("report", [[], 5, None, {}, {"schema": 1}])
def test_what_is_no_report(tmp_path: Path, report: Any) -> None:
    with pytest.raises(ValueError, match="is no report"):
        load(tmp_path, report)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        load_report(tmp_path / "none")
    (tmp_path / "report.json").write_text("{half")
    with pytest.raises(ValueError, match="is not JSON"):
        load_report(tmp_path / "report.json")
