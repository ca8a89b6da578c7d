"""Scenarios and checks from a user's own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.assess.assessing import report_of
from tests.assess.decided import always
from tests.assess.in_thread import in_thread

from wending.assess.checks import registry
from wending.assess.conductor import DONE
from wending.assess.main import USAGE, run_assessment
from wending.assess.scenarios import load_scenarios
from wending.assess.scenarios.own import load_checks, load_own_scenario
from wending.assess.scripted import ScriptedServer

CHECK = """
from wending.assess.checks import CheckResult, check

@check("shouts")
def check_shouts(answer: str, *, at_least: int) -> CheckResult:
    count = answer.count("!")
    passed = count >= at_least
    problem = None if passed else "too_quiet"
    return CheckResult("shouts", passed, f"{count} exclamation marks", problem=problem)
"""


@pytest.fixture(autouse=True)
def _no_check_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_CHECKS", dict(registry._CHECKS))


def data(scenario_id: str = "crier", **expectation: Any) -> dict[str, Any]:
    words = {"en": "Crier", "zh": "叫卖"}
    item = {
        "id": "fish",
        "language": "en",
        "level": 3,
        "messages": [{"role": "user", "content": "Sell me a fish, loudly."}],
        "checks": [{"check": "shouts", "at_least": 2, **expectation}],
        "max_tokens": 30,
    }
    return {"id": scenario_id, "title": words, "description": words, "items": [item]}


def written(folder: Path, name: str, content: str | dict[str, Any]) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def assess(folder: Path, scenario: Path, module: Path | None, **options: Any) -> int:
    with in_thread(ScriptedServer(always("Fish!"))) as endpoint:
        settings: dict[str, Any] = {"repeats": 1, "performance_seconds": 0, "agreement_repeats": 0}
        return run_assessment(
            endpoint.base_url, out=folder / "out", scenario_files=[scenario], language="en", context=False,
            checks_modules=[module] if module else [], **settings, **options,
        )  # fmt: skip


def test_a_scenario_and_a_check_from_files_are_in_the_report(tmp_path: Path) -> None:
    scenario, module = written(tmp_path, "crier.json", data()), written(tmp_path, "shouts.py", CHECK)
    # Its one item is of level 3; it is asked in the quick profile because it was asked for.
    assert assess(tmp_path, scenario, module, scenarios=["math_reasoning"]) == DONE
    report = report_of(tmp_path / "out")
    assert [scenario["id"] for scenario in report["scenarios"]] == ["math_reasoning", "crier"]
    [run] = report["scenarios"][1]["runs"]
    assert [(check["name"], check["reason"]) for check in run["checks"]] == [
        ("shouts", "1 exclamation marks")
    ]
    [problem] = [problem for problem in report["stability_problems"] if problem["scenario"] == "crier"]
    assert problem["type"] == problem["title"]["en"] == problem["title"]["zh"] == "too_quiet"


def test_ones_own_comes_after_the_bundled_ones_or_where_it_is_named(tmp_path: Path) -> None:
    load_checks(written(tmp_path, "shouts.py", CHECK))
    own = [load_own_scenario(written(tmp_path, "crier.json", data()))]
    assert [scenario.id for scenario in load_scenarios(None, own)][-1] == "crier"
    assert len(load_scenarios(None, own)) == len(load_scenarios()) + 1
    names = ["crier", "role_play"]
    assert [scenario.id for scenario in load_scenarios(names, own)] == names


@pytest.mark.parametrize(
    ("scenario", "module", "said"),
    [
        (data(), None, "unknown check 'shouts'"),
        (data(), "import nothing_of_this_name", "cannot be run: ModuleNotFoundError"),
        (data(), "def (", "cannot be run: SyntaxError"),
        (data(), CHECK + CHECK, "a check named 'shouts' is registered already"),
        (data(at_least="two"), CHECK, "crier.json: item 'fish': its checks cannot be applied: TypeError"),
        (data(loudness=3), CHECK, "crier.json: item 'fish': check 'shouts'"),
        (data("role_play"), CHECK, "two scenarios have the id 'role_play'"),
    ],
)
def test_mistakes_are_named_before_anything_is_asked(
    scenario: dict[str, Any],
    module: str | None,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = written(tmp_path, "crier.json", scenario)
    code = None if module is None else written(tmp_path, "shouts.py", module)
    assert assess(tmp_path, file, code) == USAGE
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_files_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert assess(tmp_path, tmp_path / "none.json", None) == USAGE
    assert "cannot read" in capsys.readouterr().err
    scenario = written(tmp_path, "crier.json", data())
    assert assess(tmp_path, scenario, tmp_path / "none.py") == USAGE
    assert "FileNotFoundError" in capsys.readouterr().err
    assert assess(tmp_path, scenario, written(tmp_path, "shouts.txt", CHECK)) == USAGE
    assert "ends with .py" in capsys.readouterr().err
