"""Two reports: what is printed, and when the comparison fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.assess.compare.made_report import FAULTS, FEWER, PASSES, TTFT, WORDS, made_report

from wending.assess.compare.fail_rule import FailRule
from wending.assess.compare.main import BROKEN, KEPT, UNDECIDED, run_comparison

ALL_RULES = (
    "any-worse",
    "pass_rate<-0.01",
    "json_rate<-0.01",
    "ttft>1.01",
    "speed<0.99",
    "concurrency<1",
    "changed_under_load>0",
    "failed_requests>0",
    "recovery<0",
)


def compared(tmp_path: Path, first: Any, second: Any, *rules: str, language: Any = "en") -> int:
    for name, one in (("first", first), ("second", second)):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "report.json").write_text(json.dumps(one), "utf-8")
    return run_comparison(tmp_path / "first", tmp_path / "second" / "report.json", rules, language)


def test_what_is_worse_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert compared(tmp_path, made_report(), made_report(FEWER), "any-worse") == BROKEN
    said = capsys.readouterr().out
    assert "Sums: passed" in said
    assert "100%" in said
    assert "70%" in said
    assert "-30%" in said
    assert "--fail-on any-worse: Sums: passed" in said
    assert str(tmp_path / "first") in said, "two columns of the same model must be told apart"


def test_the_same_is_not_worse(tmp_path: Path) -> None:
    assert compared(tmp_path, made_report(), made_report(), *ALL_RULES) == KEPT
    one_run = PASSES | {"3": [True] * 4 + [False]}
    assert compared(tmp_path, made_report(), made_report(one_run), "any-worse") == KEPT


@pytest.mark.parametrize(
    ("second", "rule"),
    [
        (made_report(ttft=[1.3 * value for value in TTFT]), "ttft>1.2"),
        (made_report(changed=1), "changed_under_load > 0"),
        (made_report(FEWER), "pass_rate<-0.05"),
        (made_report(failed=1), "failed_requests>0"),
        (made_report(values_right=50), "json_rate<-0.05"),
        (made_report(faults={**FAULTS, "2": False}), "recovery<0"),
        (made_report(concurrency=7), "concurrency<1"),
    ],
)
def test_rules(tmp_path: Path, second: Any, rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert compared(tmp_path, made_report(), second, rule, language="zh") == BROKEN
    assert "变化" in capsys.readouterr().out
    assert compared(tmp_path, second, made_report(), rule) == KEPT


@pytest.mark.parametrize("rule", ["worse", "ttft=1", "tea>1", "ttft>", "pass_rate<x"])
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(ValueError, match="is no rule"):
        FailRule.parse(rule)


def test_a_rule_without_its_figure_does_not_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = made_report(ttft=[])
    assert compared(tmp_path, made_report(), lost, "ttft>1.2") == UNDECIDED
    assert "--fail-on ttft>1.2: cannot be decided: short: first token" in capsys.readouterr().err
    assert compared(tmp_path, made_report(), lost, "any-worse", language="zh") == UNDECIDED
    assert "--fail-on any-worse：无法判定：短回答：首字时延" in capsys.readouterr().err
    assert compared(tmp_path, made_report(), lost, "speed<0.8") == KEPT
    no_faults = made_report(faults=None)
    assert compared(tmp_path, made_report(), no_faults, "recovery<0") == UNDECIDED
    assert "no such figure is in both reports" in capsys.readouterr().err
    assert compared(tmp_path, made_report(), no_faults, "any-worse") == KEPT


def test_an_assessment_that_broke_off_does_not_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken_off = made_report(complete=False) | {"performance": []}
    assert compared(tmp_path, made_report(), broken_off, "any-worse") == UNDECIDED
    assert "second/report.json: the assessment is incomplete" in capsys.readouterr().err
    assert compared(tmp_path, broken_off, made_report(), "pass_rate<0") == UNDECIDED
    assert compared(tmp_path, made_report(), broken_off) == KEPT
    worse = made_report(FEWER, complete=False)
    assert compared(tmp_path, made_report(), worse, "any-worse") == BROKEN


def test_what_cannot_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_comparison(tmp_path / "none", tmp_path, [], "en") == UNDECIDED
    assert "cannot be read" in capsys.readouterr().err
    nothing = made_report(faults=None) | {"scenarios": [], "performance": []}
    nothing["agreement"]["conditions"] = []
    assert compared(tmp_path, made_report(), nothing) == UNDECIDED
    assert "nothing in common" in capsys.readouterr().err


def test_failed_requests_compare_whatever_their_types_were_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    old, new = made_report(failed=10), made_report(failed=60)
    place = {"item": "0", "repeat": 1}
    frequency = {"k": 10, "n": 100, "low": 0.0, "high": 0.2}
    problem = {"type": "request_error", "scenario": "s", "frequency": frequency,
               "example": "", "example_zh": "", "title": WORDS, "action": WORDS, "severity": "high",
               "first_seen": place, "evidence": [place]}  # fmt: skip
    old["stability_problems"] = [problem]
    new["stability_problems"] = [problem | {"type": "server_error"}]
    for run in new["scenarios"][0]["runs"]:
        run["error_type"] = None if run["error"] is None else "server_error"
    assert compared(tmp_path, old, new, "failed_requests>0.1", "any-worse") == BROKEN
    said = capsys.readouterr().out
    assert "+50%" in next(line for line in said.splitlines() if "runs whose request failed" in line)
    assert "request_error" not in said
    assert "server_error" not in said
