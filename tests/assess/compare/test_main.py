"""Two reports: what is printed, and when the comparison fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wending.assess.compare.fail_rule import FailRule
from wending.assess.compare.main import SAME, USAGE, WORSE, run_comparison


def report(passes: dict[str, list[bool]], ttft: float | None = 0.1, changed: int = 0) -> dict[str, Any]:
    runs = [{"item": item, "pass": one, "error": None} for item, several in passes.items() for one in several]
    scenario = {"id": "s", "title": {"en": "Sums", "zh": "加法"}, "runs": runs}
    performance = {
        "request_type": "short",
        "ttft_s": {"p50": ttft},
        "tokens_per_s": {"p50": 50.0},
        "max_concurrency": 8,
    }
    return {
        "schema": 1,
        "target": {"model": "m"},
        "scenarios": [scenario],
        "agreement": {"changed_under_load": {"k": changed, "n": 10, "low": 0, "high": 1}},
        "performance": [performance],
    }


GOOD = {str(i): [True] * 5 for i in range(20)}
WORSE_RUNS = {str(i): [True] * (3 + i % 2) + [False] * (2 - i % 2) for i in range(20)}


def compared(tmp_path: Path, first: Any, second: Any, *rules: str, language: Any = "en") -> int:
    for name, one in (("first", first), ("second", second)):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "report.json").write_text(json.dumps(one), "utf-8")
    return run_comparison(tmp_path / "first", tmp_path / "second" / "report.json", rules, language)


def test_what_is_worse_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compared(tmp_path, report(GOOD), report(WORSE_RUNS), "any-worse") == WORSE
    said = capsys.readouterr().out
    assert "Sums: passed" in said
    assert "100%" in said
    assert "70%" in said
    assert "-30%" in said
    assert "--fail-on any-worse: Sums: passed" in said


def test_the_same_is_not_worse(tmp_path: Path) -> None:
    rules = (
        "any-worse",
        "pass_rate<-0.01",
        "ttft>1.01",
        "speed<0.99",
        "concurrency<1",
        "changed_under_load>0",
    )
    assert compared(tmp_path, report(GOOD), report(GOOD), *rules) == SAME
    one_run = GOOD | {"3": [True] * 4 + [False]}
    assert compared(tmp_path, report(GOOD), report(one_run), "any-worse") == SAME


@pytest.mark.parametrize(
    ("second", "rule"),
    [
        (report(GOOD, ttft=0.13), "ttft>1.2"),
        (report(GOOD, changed=1), "changed_under_load > 0"),
        (report(WORSE_RUNS), "pass_rate<-0.05"),
    ],
)
def test_rules(tmp_path: Path, second: Any, rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert compared(tmp_path, report(GOOD), second, rule, language="zh") == WORSE
    assert "变化" in capsys.readouterr().out
    assert compared(tmp_path, second, report(GOOD), rule) == SAME


@pytest.mark.parametrize("rule", ["worse", "ttft=1", "tea>1", "ttft>", "pass_rate<x"])
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(ValueError, match="is no rule"):
        FailRule.parse(rule)


def test_what_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_comparison(tmp_path / "none", tmp_path, [], "en") == USAGE
    assert "cannot be read" in capsys.readouterr().err
    assert compared(tmp_path, [], report(GOOD)) == USAGE
    assert "is no report" in capsys.readouterr().err
    assert compared(tmp_path, report(GOOD), {"schema": 1}) == USAGE
    assert "performance, scenarios, target is missing" in capsys.readouterr().err
    nothing = report(GOOD) | {"scenarios": [], "performance": [], "agreement": {"changed_under_load": None}}
    assert compared(tmp_path, report(GOOD), nothing) == USAGE
    assert "nothing in common" in capsys.readouterr().err


def test_failed_requests_compare_whatever_their_types_were_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(type_of_problem: str, more: int, **fields: Any) -> Any:
        found = report(GOOD)
        for number, run in enumerate(found["scenarios"][0]["runs"]):
            if number % 5 < 1 + more * (1 + number // 5 % 2):
                run |= {"pass": False, "error": "HTTP 503: overloaded", **fields}
        return found | {"stability_problems": [{"type": type_of_problem}]}

    old, new = failing("request_error", 0), failing("server_error", 1, error_type="server_error")
    rules = ("failed_requests>0.1", "any-worse")
    assert compared(tmp_path, old, new, *rules) == WORSE
    said = capsys.readouterr().out
    assert "+30%" in next(line for line in said.splitlines() if "runs whose request failed" in line)
    assert "--fail-on any-worse: runs whose request failed" in said
    assert "request_error" not in said
    assert compared(tmp_path, new, old, *rules) == SAME
    capsys.readouterr()
    assert compared(tmp_path, report(GOOD), report(GOOD)) == SAME
    assert "request failed" not in capsys.readouterr().out


def test_a_figure_that_one_lacks_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compared(tmp_path, report(GOOD), report(GOOD, ttft=None), "ttft>1") == SAME
    assert "first token" not in capsys.readouterr().out
