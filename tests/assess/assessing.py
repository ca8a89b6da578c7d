"""Small assessments, and what they leave in their folder."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema

from wending.assess.main import run_assessment

SCHEMA = json.loads(files("wending.assess.report").joinpath("schema.json").read_text("utf-8"))


def assess(target: str | None, out: Path, **options: Any) -> int:
    settings: dict[str, Any] = {
        "scenarios": ["math_reasoning"],
        "repeats": 2,
        "performance_seconds": 0,
        "agreement_repeats": 0,
        "response_format_repeats": 0,
        **options,
    }
    return run_assessment(target, out=out, language="en", **settings)


def report_of(folder: Path) -> dict[str, Any]:
    """The report, which is valid whatever happened."""
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(report)] == []
    assert (folder / "report.md").stat().st_size > 0
    assert (folder / "report.html").stat().st_size > 0
    return report


def runs_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "runs.jsonl").read_text("utf-8").splitlines()]
