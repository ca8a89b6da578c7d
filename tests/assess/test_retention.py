"""Role loss that was planted at a turn shows in the curve, and role keeping that works shows as a change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.assess.assessing import report_of, runs_of
from tests.assess.decided import Decided, Request, say
from tests.assess.in_thread import in_thread

from wending.assess import main
from wending.assess.conductor import DONE
from wending.assess.main import USAGE, run_assessment
from wending.assess.results import Assessment
from wending.assess.scripted.reply import Reply, refusal

FIELD = "restate_system"


def conversation(number: int, turns: int = 16) -> dict[str, Any]:
    system = {"role": "system", "content": f"You are guide {number}. End every answer with Farewell."}
    return {
        "id": f"guide_{number}",
        "language": "en",
        "level": 2,
        "messages": [
            system,
            *({"role": "user", "content": f"Question {turn}?"} for turn in range(1, turns + 1)),
        ],
        "probes": [turn for turn in (1, 2, 4, 8, 16) if turn <= turns],
        "checks": [{"check": "ends_with", "text": "Farewell."}, {"check": "sentences", "at_most": 3}],
        "max_tokens": 40,
    }


def written(folder: Path, items: list[dict[str, Any]]) -> Path:
    file = folder / "guides.json"
    words = {"en": "Guides", "zh": "导游"}
    file.write_text(json.dumps({"id": "guides", "title": words, "description": words, "items": items}))
    return file


def assess(
    script: Callable[[Request], Reply], folder: Path, items: list[dict[str, Any]], **options: Any
) -> int:
    settings = {
        "scenarios": ["guides"],
        "repeats": 2,
        "performance_seconds": 0,
        "agreement_repeats": 0,
        **options,
    }
    file = written(folder, items)
    with in_thread(Decided(script)) as endpoint:
        return run_assessment(
            endpoint.base_url, out=folder / "out", scenario_files=[file], language="en", **settings
        )


def turn_of(request: Request) -> int:
    return sum(message["role"] == "user" for message in request["messages"])


def forgets_at_turn_8(request: Request) -> Reply:
    """Two of three guides lose their role at turn 8, unless it is kept."""
    forgetful = "guide 0" not in request["messages"][0]["content"]
    lost = forgetful and turn_of(request) >= 8 and FIELD not in request
    return say("It is here.") if lost else say("It is here. ", "Farewell.")


def rates(curve: dict[str, Any]) -> dict[int, tuple[int, int]]:
    return {point["turn"]: (point["rate"]["k"], point["rate"]["n"]) for point in curve["points"]}


def test_loss_at_turn_8_shows_in_the_curve_and_role_keeping_beside_it(tmp_path: Path) -> None:
    items = [conversation(number) for number in range(3)]
    status = assess(forgets_at_turn_8, tmp_path, items, role_keeping=json.dumps({FIELD: 4}))
    assert status == DONE
    report = report_of(tmp_path / "out")
    [scenario] = report["scenarios"]
    without, kept = scenario["retention"]
    assert (without["condition"], kept["condition"]) == ("default", "role_keeping")
    assert rates(without) == {1: (6, 6), 2: (6, 6), 4: (6, 6), 8: (2, 6), 16: (2, 6)}
    assert rates(kept) == dict.fromkeys((1, 2, 4, 8, 16), (6, 6))
    at_8 = without["points"][3]
    assert at_8["items"] == 3
    # Three items, not six runs: the repeats of an item are all alike.
    assert at_8["rate"]["low"] < 0.1
    assert at_8["rate"]["high"] > 0.75
    assert [point["change"] for point in without["points"]] == [None] * 5
    assert kept["points"][3]["change"] | {"low": 0, "high": 0} == {
        "items": 3, "difference": 0.66667, "low": 0, "high": 0,
    }  # fmt: skip
    assert kept["points"][0]["change"] == {"items": 3, "difference": 0.0, "low": None, "high": None}
    assert report["settings"]["role_keeping"] == {FIELD: 4}
    # A run passes when it does so at each probe; what was asked with the field counts in no other rate.
    assert (scenario["pass_rate"]["k"], scenario["pass_rate"]["n"]) == (2, 6)
    assert scenario["items"][0]["judged_turns"] == [1, 2, 4, 8, 16]
    runs = runs_of(tmp_path / "out")
    seeds = {
        condition: sorted(run["seed"] for run in runs if run["condition"] == condition)
        for condition in ("default", "role_keeping")
    }
    assert seeds["default"] == seeds["role_keeping"]
    failed = next(run for run in scenario["runs"] if not run["pass"])
    assert {check["turn"] for check in failed["checks"] if not check["pass"]} == {8, 16}
    [problem] = report["stability_problems"]
    assert problem["type"] == "role_forgotten"
    assert "turn 8: " in problem["example"]
    assert "第 8 轮：" in problem["example_zh"]
    assert any("may ignore them" in note["en"] for note in report["notes"])
    page, english, chinese = (
        (tmp_path / "out" / name).read_text("utf-8") for name in ("report.html", "report.md", "report.zh.md")
    )
    assert all("How long roles are kept" in text for text in (page, english))
    assert all("启用角色保持" in text for text in (page, chinese))
    assert all("+67" in text for text in (page, english, chinese))


def test_role_keeping_that_is_refused_is_said_to_be_not_offered(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        if FIELD in request:
            return refusal(400, f"unknown field {FIELD}")
        return forgets_at_turn_8(request)

    assert assess(script, tmp_path, [conversation(1)], role_keeping=json.dumps({FIELD: 4})) == DONE
    report = report_of(tmp_path / "out")
    assert report["complete"]
    assert [curve["condition"] for curve in report["scenarios"][0]["retention"]] == ["default"]
    [note] = [note for note in report["notes"] if "does not offer" in note["en"]]
    assert f"unknown field {FIELD}" in note["en"]
    assert len(runs_of(tmp_path / "out")) == 2


def test_an_endpoint_that_refuses_long_conversations_is_not_gone(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        if turn_of(request) > 3:
            return refusal(400, "context length exceeded")
        return say("Yes. ", "Farewell.")

    items = [conversation(number) for number in range(6)] + [conversation(9, turns=2)]
    assert assess(script, tmp_path, items) == DONE
    report = report_of(tmp_path / "out")
    assert report["complete"]
    assert report["lost_runs"] == 0
    [scenario] = report["scenarios"]
    assert (scenario["pass_rate"]["k"], scenario["pass_rate"]["n"]) == (2, 14)
    # Only the short one says something of its role.
    [curve] = scenario["retention"]
    assert rates(curve) == {1: (2, 2), 2: (2, 2)}
    assert [point["items"] for point in curve["points"]] == [1, 1]


def test_an_answer_that_was_cut_off_at_a_probe_is_no_loss_of_the_role(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        cut = turn_of(request) == 4
        return say("Well", finish_reason="length") if cut else say("Well. ", "Farewell.")

    assert assess(script, tmp_path, [conversation(1)]) == DONE
    report = report_of(tmp_path / "out")
    assert [problem["type"] for problem in report["stability_problems"]] == ["truncated"]


@pytest.mark.parametrize(
    ("role_keeping", "said"),
    [
        ("restate", "is not JSON"),
        ("[]", "a JSON object that is not empty"),
        ("{}", "a JSON object that is not empty"),
        ('{"seed": 4}', "the assessment sets 'seed' itself"),
    ],
)
def test_fields_that_make_no_sense(
    role_keeping: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert assess(forgets_at_turn_8, tmp_path, [conversation(1)], role_keeping=role_keeping) == USAGE
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_role_keeping_without_a_conversation_to_try_it_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    single = {**conversation(1), "probes": [16]}
    assert assess(forgets_at_turn_8, tmp_path, [single], role_keeping='{"x": 1}') == USAGE
    assert "judged at several turns" in capsys.readouterr().err


def test_our_own_server_is_asked_with_role_keeping_without_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Assessment] = []

    class Stopped(Exception):
        """Far enough."""

    def conductor(assessment: Assessment, *_: object) -> None:
        begun.append(assessment)
        raise Stopped

    monkeypatch.setattr(main, "Conductor", conductor)
    for target in (None, "http://127.0.0.1:9/v1"):
        with pytest.raises(Stopped):
            main.run_assessment(target, out=tmp_path / str(len(begun)), profile="standard")
    assert [dict(assessment.role_keeping) for assessment in begun] == [{"restate_system": 4}, {}]
