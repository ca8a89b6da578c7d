"""Whole assessments of a scripted endpoint, and those that cannot be begun."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.assess.assessing import assess, report_of, runs_of
from tests.assess.decided import Decided, always, say
from tests.assess.in_thread import in_thread

from wending.assess.conductor import DONE
from wending.assess.main import USAGE, run_assessment
from wending.assess.scripted import ScriptedServer


def test_an_assessment_is_complete_and_repeatable(tmp_path: Path) -> None:
    with in_thread(Decided(lambda _: say("The answer:\n", "Answer: ", "5"))) as endpoint:
        assert assess(endpoint.base_url.removesuffix("/v1"), tmp_path / "a", performance_seconds=0.5) == DONE
        first = list(endpoint.requests)
        assert assess(endpoint.base_url + "/", tmp_path / "b", performance_seconds=0.5) == DONE
    report = report_of(tmp_path / "a")
    assert report["complete"]
    assert report["target"] | {"given": "", "base_url": ""} == {
        "kind": "endpoint", "given": "", "base_url": "", "model": "scripted", "demonstration": False,
    }  # fmt: skip
    [scenario] = report["scenarios"]
    runs = scenario["runs"]
    assert len(runs) == scenario["planned_runs"] == 2 * len(scenario["items"]) == len(runs_of(tmp_path / "a"))
    assert len({run["seed"] for run in runs}) == len(runs)
    pipes = next(run for run in runs if run["item"] == scenario["items"][0]["id"])
    assert pipes["pass"]
    assert pipes["tokens"] == 3
    assert pipes["ttft_s"] > 0
    assert pipes["finish_reason"] == "stop"
    assert scenario["pass_rate"]["n"] == len(runs)
    assert (
        scenario["pass_rate"]["low"] < scenario["pass_rate"]["k"] / len(runs) < scenario["pass_rate"]["high"]
    )
    assert scenario["agreement"]["tar_raw"] == 1.0
    assert scenario["json_rates"] is None
    assert [result["request_type"] for result in report["performance"]] == ["short", "long", "json"]
    for result in report["performance"]:
        assert result["ttft_s"]["n"] >= 3
        # On a busy machine the generator may not keep up; then the report says so instead.
        assert result["levels"] or result["invalid_levels"]
    assert report["resources"]["peak_memory_bytes"] is None
    assert "not started by the assessment" in report["resources"]["reason"]["en"]
    # The same seed asks the same: scenario requests come in another order, but each with its seed.
    scenario_requests = [part[1 : len(runs) + 1] for part in (first, endpoint.requests[len(first) :])]
    keys = [sorted(json.dumps(request, sort_keys=True) for request in part) for part in scenario_requests]
    assert keys[0] == keys[1]


def test_a_server_that_runs_already_is_sampled_by_its_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = sum(psutil.Process().cpu_times()[:2])
    with in_thread(ScriptedServer(always("Answer: 5"))) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", pid=os.getpid()) == DONE
        resources = report_of(tmp_path / "out")["resources"]
        assert resources["reason"] is None
        assert resources["peak_memory_bytes"] > 10 << 20
        taken = sum(psutil.Process().cpu_times()[:2]) - taken
        assert 0 < resources["cpu_seconds"] <= taken + 1, "what it took before is not of this assessment"
    assert assess(endpoint.base_url, tmp_path / "none", pid=4194305) == USAGE
    assert "no such process" in capsys.readouterr().err
    assert assess(None, tmp_path / "none", pid=os.getpid()) == USAGE
    assert not (tmp_path / "none").exists()


def test_a_profile_says_what_is_asked(tmp_path: Path) -> None:
    with in_thread(ScriptedServer(always("Answer: 5"))) as endpoint:
        options: dict[str, Any] = {"repeats": None, "agreement_repeats": None, "profile": "signoff"}
        assert assess(endpoint.base_url, tmp_path / "out", **options) == DONE
    settings = report_of(tmp_path / "out")["settings"]
    assert (settings["profile"], settings["levels"], settings["repeats"]) == ("signoff", [1, 2, 3], 10)
    assert settings["agreement_repeats"] == 5


def test_a_scenario_named_twice_is_asked_once(tmp_path: Path) -> None:
    with in_thread(ScriptedServer(always("Answer: 5"))) as endpoint:
        names = ["math_reasoning", "math_reasoning"]
        assert assess(endpoint.base_url, tmp_path / "out", scenarios=names, repeats=1) == DONE
    assert [scenario["id"] for scenario in report_of(tmp_path / "out")["scenarios"]] == ["math_reasoning"]


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("/nowhere/at/all", {}, "neither an existing folder nor an http"),
        (__file__, {}, "is a file"),
        ("ftp://host/v1", {}, "neither an existing folder nor an http"),
        ("http://user:key@host/v1", {}, "not inside the URL"),
        (
            "http://127.0.0.1:9",
            {"scenarios": ["dancing"]},
            "unknown scenario 'dancing'; there are: role_play",
        ),
    ],
)
def test_what_cannot_be_begun_leaves_nothing_behind(
    target: str, options: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert assess(target, tmp_path / "out", **options) == USAGE
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_earlier_assessment_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs.jsonl").write_text("kept")
    assert assess("http://127.0.0.1:9", tmp_path) == USAGE
    assert "already holds an assessment" in capsys.readouterr().err
    assert (tmp_path / "runs.jsonl").read_text() == "kept"


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert assess("http://127.0.0.1:9", tmp_path / "file" / "out") == USAGE
    assert "cannot write to" in capsys.readouterr().err


def test_messages_in_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with in_thread(ScriptedServer(always("Answer: 5"))) as endpoint:
        status = run_assessment(
            endpoint.base_url, out=tmp_path / "out", scenarios=["math_reasoning"], repeats=1, language="zh",
            performance_seconds=0,
        )  # fmt: skip
    assert status == DONE
    captured = capsys.readouterr()
    assert "场景检验" in captured.err
    assert "报告：" in captured.out
