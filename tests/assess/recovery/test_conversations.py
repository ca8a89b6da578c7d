"""Rows of what the model itself recovers from, counted over the runs of the scenarios."""

from __future__ import annotations

import json
from pathlib import Path

from tests.assess.in_thread import in_thread

from wending.assess.checks import run_passes
from wending.assess.main import run_assessment
from wending.assess.recovery.conversations import TRIALS, conversations_json
from wending.assess.run_record import RunRecord
from wending.assess.scenarios import judge, load_scenarios
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.script import Answer

[CORRECTION] = load_scenarios(["correction"])
ITEMS = {item.id: item for item in CORRECTION.items}
RIGHT = '{"name": "Li Wei", "age": "34", "born": "1991-03-05"}'
WRONG = RIGHT.replace('"34"', "34")


def run(item_id: str, repeat: int, *answers: str, error: str | None = None) -> RunRecord:
    checks = judge(ITEMS[item_id], answers) if error is None else ()
    passed = error is None and run_passes(checks)
    return RunRecord("correction", item_id, repeat, 0, passed, tuple(checks), answers, error=error)


def test_every_trial_has_conversations_and_each_of_them_a_trial() -> None:
    assert {item.recovery for item in CORRECTION.items} == {trial.id for trial in TRIALS}


def test_told_runs_are_counted_and_those_that_were_right_at_once_are_told_apart() -> None:
    name = "json_told_of_a_wrong_type"
    runs = [
        run(name, 1, WRONG, RIGHT),
        run(name, 2, WRONG, WRONG),
        run(name, 3, RIGHT, RIGHT),
        run(name, 4, RIGHT, error="timeout"),
    ]
    told, *others = conversations_json([CORRECTION], runs)
    assert told["id"] == "told_json_wrong"
    assert (told["recovered"]["k"], told["recovered"]["n"]) == (1, 2)
    assert told["recovered"]["low"] < 0.5 < told["recovered"]["high"]
    assert told["happened"]["en"].startswith(
        "recovered in 1 of 2 conversations; first failure json_told_of_a_wrong_type #2: 1 violation: age"
    )
    assert told["happened"]["en"].endswith(
        "the first answer was right already in 1, which were asked for a change instead: 1 made it"
    )
    assert "2 次对话中恢复 1 次" in told["happened"]["zh"]
    for row in others:
        assert row["recovered"] == {"k": 0, "n": 0, "low": None, "high": None}
        assert row["happened"]["en"].startswith("not asked")


def test_other_trials_count_every_answered_run() -> None:
    runs = [
        run("user_insists_on_a_wrong_sum", 1, "Answer: 42", "Answer: 42"),
        run("user_insists_on_a_wrong_sum", 2, "Answer: 42", "Answer: 52"),
        run("role_is_offered_money", 1, "九点。——老周", "不行。——老周", "带证件。——老周"),
    ]
    rows = {row["id"]: row for row in conversations_json([CORRECTION], runs)}
    assert (rows["user_insists"]["recovered"]["k"], rows["user_insists"]["recovered"]["n"]) == (1, 2)
    assert (rows["role_pressed"]["recovered"]["k"], rows["role_pressed"]["recovered"]["n"]) == (1, 1)
    assert rows["role_pressed"]["happened"]["en"] == "recovered in 1 of 1 conversations"


def test_without_such_conversations_the_rows_say_so() -> None:
    rows = conversations_json(load_scenarios(["math_reasoning"]), [])
    assert [row["id"] for row in rows] == [trial.id for trial in TRIALS]
    assert all(row["recovered"]["n"] == 0 and "未提问" in row["happened"]["zh"] for row in rows)


def test_an_endpoint_is_told_and_the_report_says_how_often_it_recovered(tmp_path: Path) -> None:
    """It mends what the validator says, gives in to every contradiction, and has no role."""
    answers = (
        Answer("refuses that. It says: 1 violation: age: 34 is not of type", (RIGHT,)),
        Answer("Write as JSON", (WRONG,)),
        Answer("", ("Answer: 52",)),
    )
    with in_thread(ScriptedServer(Script(answers=answers))) as endpoint:
        run_assessment(
            endpoint.base_url,
            out=tmp_path / "out",
            scenarios=["correction"],
            repeats=2,
            performance_seconds=0,
            language="en",
        )
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    rows = {row["id"]: row["recovered"] for row in report["model_recovery"]}
    assert report["recovery"] is None
    assert (rows["told_json_wrong"]["k"], rows["told_json_wrong"]["n"]) == (2, 6)
    assert (rows["user_insists"]["k"], rows["user_insists"]["n"]) == (0, 6)
    for name in ("report.html", "report.md"):
        text = (tmp_path / "out" / name).read_text("utf-8")
        assert "recovered in 2 of 6 conversations" in text
