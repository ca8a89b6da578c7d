"""Whole assessments of a scripted endpoint: good ones, and every way in which one can break off."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.assess.scripted_endpoint import Reply, Request, ScriptedEndpoint

from wending.assess.conductor import BROKEN_OFF, DONE
from wending.assess.main import USAGE, run_assessment
from wending.assess.report import sentences

SCHEMA = json.loads(files("wending.assess.report").joinpath("schema.json").read_text("utf-8"))
HOSTILE = "<script>alert(1)</script>|\n`</pre>` Answer: 5"


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


def test_an_assessment_is_complete_and_repeatable(tmp_path: Path) -> None:
    with ScriptedEndpoint(lambda request: Reply(("The answer:\n", "Answer: ", "5"))) as endpoint:
        assert assess(endpoint.url, tmp_path / "a", performance_seconds=0.5) == DONE
        first = list(endpoint.served)
        assert assess(endpoint.url + "/v1/", tmp_path / "b", performance_seconds=0.5) == DONE
    report = report_of(tmp_path / "a")
    assert report["complete"]
    assert report["target"] | {"given": "", "base_url": ""} == {
        "kind": "endpoint", "given": "", "base_url": "", "model": "scripted-model", "demonstration": False,
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
        assert (result["max_concurrency"] or 0) >= 1 or result["invalid_levels"]
    assert report["resources"]["peak_memory_bytes"] is None
    assert "not started by the assessment" in report["resources"]["reason"]["en"]
    # The same seed asks the same: scenario requests come in another order, but each with its seed.
    scenario_requests = [
        [served.request for served in part[1 : len(runs) + 1]]
        for part in (first, endpoint.served[len(first) :])
    ]
    keys = [sorted(json.dumps(request, sort_keys=True) for request in part) for part in scenario_requests]
    assert keys[0] == keys[1]


def test_answers_that_change_under_load_are_told_from_those_that_change_anyway(tmp_path: Path) -> None:
    """Item by item: the first one is steady, the second changes under load, the third from time to time."""

    def script(request: Request) -> Reply:
        question = request["messages"][-1]["content"]
        if question not in items:
            return Reply(("something",) * 20, gap=0.005)  # the load itself
        number = items.index(question)
        asked[number] += 1
        loaded = endpoint.in_flight > 4
        said = {1: str(loaded), 2: str(asked[2])}.get(number, "5")
        return Reply(("Answer: ", said), first_delay=0.02)

    scenario_items = json.loads(
        files("wending.assess.scenarios").joinpath("math_reasoning.json").read_text("utf-8")
    )["items"]
    items = [item["messages"][-1]["content"] for item in scenario_items if item.get("level", 1) == 1]
    asked = dict.fromkeys(range(len(items)), 0)
    with ScriptedEndpoint(script) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", agreement_repeats=2, concurrency=1) == DONE
    report = report_of(tmp_path / "out")
    agreement = report["agreement"]
    assert [row["condition"] for row in agreement["conditions"]] == ["default", "alone", "loaded"]
    default, alone, loaded = agreement["conditions"]
    assert default["tar_raw"] == alone["tar_raw"] == loaded["tar_raw"] == 1 - 1 / len(items)
    changed = agreement["changed_under_load"]
    assert (changed["k"], changed["n"]) == (1, len(items) - 1)
    assert changed["items"] == [f"math_reasoning/{scenario_items[1]['id']}"]
    greedy = [served.request for served in endpoint.served if served.request["temperature"] == 0]
    assert len(greedy) == 4 * len(items) + 1  # and the trial that the estimate is made of
    runs = runs_of(tmp_path / "out")
    assert [run["condition"] for run in runs].count("loaded") == 2 * len(items)
    assert report["pass_rate"]["n"] == 2 * len(items)  # as clients ask, and no others


def test_a_profile_says_what_is_asked(tmp_path: Path) -> None:
    with ScriptedEndpoint() as endpoint:
        options: dict[str, Any] = {"repeats": None, "agreement_repeats": None, "profile": "signoff"}
        assert assess(endpoint.url, tmp_path / "out", **options) == DONE
    settings = report_of(tmp_path / "out")["settings"]
    assert (settings["profile"], settings["levels"], settings["repeats"]) == ("signoff", [1, 2, 3], 10)
    assert settings["agreement_repeats"] == 5


def test_turns_of_a_conversation_are_asked_in_order_with_the_live_answers_between(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        return Reply((f"answer {sum(message['role'] == 'user' for message in request['messages'])}",))

    with ScriptedEndpoint(script) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", scenarios=["role_play"], repeats=1) == DONE
    [scenario] = report_of(tmp_path / "out")["scenarios"]
    turns = {item["id"]: sum(m["role"] == "user" for m in item["messages"]) for item in scenario["items"]}
    assert max(turns.values()) > 1
    for run in scenario["runs"]:
        assert run["answers"] == [f"answer {n + 1}" for n in range(turns[run["item"]])]
        assert run["text"] == run["answers"][-1]
    longest = max(endpoint.served, key=lambda served: len(served.request["messages"])).request["messages"]
    spoken = [message for message in longest if message["role"] != "system"]
    assert [message["role"] for message in spoken] == ["user", "assistant"] * (len(spoken) // 2) + ["user"]
    assert [m["content"] for m in spoken[1::2]] == [f"answer {n + 1}" for n in range(len(spoken) // 2)]


def test_the_four_json_rates_are_kept_apart(tmp_path: Path) -> None:
    with ScriptedEndpoint(lambda request: Reply(('[{"id": 1,}]',))) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", scenarios=["json_output"], repeats=1) == DONE
    report = report_of(tmp_path / "out")
    [scenario] = report["scenarios"]
    rates = scenario["json_rates"]
    assert {name: rate["k"] for name, rate in rates.items()} == dict.fromkeys(rates, 0)
    assert {rate["n"] for rate in rates.values()} == {len(scenario["items"])}
    assert "trailing_comma" in {problem["type"] for problem in report["stability_problems"]}


def test_recall_by_distance_is_part_of_the_report(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        prompt = request["messages"][-1]["content"]
        code = re.search(r"(?:is |是 )(\d{5})", prompt)
        return Reply((code[1] if code else "Answer: 5",), prompt_tokens=len(prompt) // 2)

    with ScriptedEndpoint(script, model_facts={"max_model_len": 2048}) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", repeats=1, context=True) == DONE
        assert assess(endpoint.url, tmp_path / "without", repeats=1) == DONE
    context = report_of(tmp_path / "out")["context"]
    assert (context["limit"], context["stopped_by"], context["first_miss"]) == (2048, "limit", None)
    assert sum(point["rate"]["k"] for point in context["points"]) == len(context["probes"]) == 12
    for name in ("report.html", "report.md"):
        assert context["summary"]["en"] in (tmp_path / "out" / name).read_text("utf-8")
    assert context["summary"]["zh"] in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert report_of(tmp_path / "without")["context"] is None


def test_json_is_asked_with_and_without_its_schema(tmp_path: Path) -> None:
    """An endpoint that enforces schemas, but not those of arrays."""

    def script(request: Request) -> Reply:
        form = request.get("response_format")
        if form is None:
            return Reply(("nothing of the kind",))
        if form["json_schema"]["schema"]["type"] == "array":
            return Reply(status=400, error={"error": {"message": "no arrays, please"}})
        return Reply((json.dumps(smallest(form["json_schema"]["schema"])),))

    options: dict[str, Any] = {"scenarios": ["json_output"], "repeats": 1, "response_format_repeats": 2}
    with ScriptedEndpoint(script) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", **options) == DONE
    [scenario] = report_of(tmp_path / "out")["scenarios"]
    items = len(scenario["items"])
    assert (scenario["json_rates"]["parses"]["k"], scenario["json_rates"]["parses"]["n"]) == (0, items)
    found = scenario["response_format"]
    refused, answered = found["unanswered"]["k"], 2 * items - found["unanswered"]["k"]
    assert found["offered"]
    assert 0 < refused < found["unanswered"]["n"] == 2 * items
    assert "HTTP 400: no arrays, please" in found["reason"]["en"]
    assert {name: (rate["k"], rate["n"]) for name, rate in found["json_rates"].items()} == {
        "parses": (answered, answered),
        "schema": (answered, answered),
        "repairable": (answered, answered),
        "values": (0, answered),
    }
    assert (found["pass_rate"]["k"], found["pass_rate"]["n"]) == (0, answered)
    runs = runs_of(tmp_path / "out")
    with_schema = [run for run in runs if run["condition"] == "response_format"]
    assert len(with_schema) == 2 * items
    assert {run["seed"] for run in runs if run["condition"] == "default"} < {
        run["seed"] for run in with_schema
    }
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "With the schema in response_format" in page
    assert "no arrays, please" in (tmp_path / "out" / "report.md").read_text("utf-8")


def smallest(schema: dict[str, Any]) -> Any:
    """Some instance of a schema of objects, arrays and plain values."""
    if schema["type"] == "object":
        return {name: smallest(inner) for name, inner in schema["properties"].items()}
    return {"string": "", "number": 0, "integer": 0, "boolean": False, "array": [], "null": None}[
        schema["type"]
    ]


def test_an_endpoint_without_response_format_does_not_offer_it(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        if "response_format" in request:
            return Reply(status=400, error={"error": {"message": "unknown field response_format"}})
        return Reply(("[]",))

    options: dict[str, Any] = {"scenarios": ["json_output"], "repeats": 1, "response_format_repeats": 5}
    with ScriptedEndpoint(script) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", **options) == DONE
    report = report_of(tmp_path / "out")
    [scenario] = report["scenarios"]
    assert report["complete"]
    assert not scenario["response_format"]["offered"]
    assert scenario["response_format"]["json_rates"] is None
    assert scenario["response_format"]["pass_rate"]["n"] == 0
    assert "unknown field response_format" in scenario["response_format"]["reason"]["zh"]
    assert sum("response_format" in served.request for served in endpoint.served) == 1
    assert r"does not offer response\_format" in (tmp_path / "out" / "report.md").read_text("utf-8")


def test_a_schema_that_brings_the_endpoint_down_ends_nothing(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        return Reply(status=500, error="oops") if "response_format" in request else Reply(("[]",))

    options: dict[str, Any] = {"scenarios": ["json_output"], "repeats": 1, "response_format_repeats": 3}
    with ScriptedEndpoint(script) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", **options) == DONE
    [scenario] = report_of(tmp_path / "out")["scenarios"]
    found = scenario["response_format"]
    assert found["offered"]
    assert found["unanswered"]["k"] == found["unanswered"]["n"] == 3 * len(scenario["items"])


def test_a_load_that_could_never_be_driven_costs_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wending.assess.load.drive.LIMIT_S", 0.0)
    monkeypatch.setattr("wending.assess.load.drive.LIMIT_SHARE", 0.0)
    with ScriptedEndpoint(lambda request: Reply(("Answer: ", "5"))) as endpoint:
        assert assess(endpoint.url, tmp_path, performance_seconds=0.5) == DONE
    report = report_of(tmp_path)
    assert len(report["performance"]) == 3
    for result in report["performance"]:
        assert (result["max_concurrency"], result["levels"]) == (None, [])
        assert result["invalid_levels"]
        assert "late" in sentences.stop_reason(result, 64)["en"]
    rules = {rule["id"]: rule["outcome"] for rule in report["verdict"]["rules"]}
    assert rules["capacity"] == "unmeasured"
    assert sum("was kept from running" in note["en"] for note in report["notes"]) == 3


def test_hostile_answers_and_names_stay_text(tmp_path: Path) -> None:
    with ScriptedEndpoint(
        lambda request: Reply((HOSTILE,)), models=("<img src=x onerror=alert(2)>",)
    ) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", repeats=1) == DONE
    report_of(tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<img" not in page
    assert page.count("<script>") == 1
    assert page.count("</pre>") == page.count("<pre")
    assert "<script>" not in (tmp_path / "out" / "report.md").read_text("utf-8")


def test_missing_usage_is_told(tmp_path: Path) -> None:
    with ScriptedEndpoint(lambda request: Reply(usage=False)) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", repeats=1) == DONE
    report = report_of(tmp_path / "out")
    assert report["settings"]["tokens_counted_by"] == "content_events"
    assert any("no token counts" in note["en"] for note in report["notes"])
    assert report["scenarios"][0]["runs"][0]["tokens"] == 3


def test_single_failures_count_as_failures_and_do_not_end_the_assessment(tmp_path: Path) -> None:
    calls = 0

    def script(request: Request) -> Reply:
        nonlocal calls
        calls += 1
        return Reply(status=500, error={"error": "hiccup"}) if calls % 4 == 0 else Reply()

    with ScriptedEndpoint(script) as endpoint:
        assert assess(endpoint.url, tmp_path / "out") == DONE
    report = report_of(tmp_path / "out")
    runs = report["scenarios"][0]["runs"]
    failed = [run for run in runs if run["error"]]
    assert len(failed) == len(runs) // 4
    assert all("hiccup" in run["error"] and not run["pass"] for run in failed)
    assert report["scenarios"][0]["pass_rate"]["n"] == len(runs)
    [problem] = [row for row in report["stability_problems"] if row["type"] == "server_error"]
    assert problem["frequency"]["k"] == len(failed)
    assert {run["error_type"] for run in runs} == {None, "server_error"}


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(status=500, error={"error": {"message": "engine is dead"}}), "engine is dead"),
        (Reply(raw=b"data: hello\n\n"), "not JSON"),
        (Reply(raw=b"<html>"), "without a finish_reason"),
        (Reply(break_after=1), "lost in the middle"),
    ],
)
def test_an_endpoint_that_never_answers_right_ends_the_assessment(
    reply: Reply, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ScriptedEndpoint(lambda request: reply) as endpoint:
        assert assess(endpoint.url, tmp_path / "out") == BROKEN_OFF
    report = report_of(tmp_path / "out")
    assert not report["complete"]
    assert said in report["incomplete_reason"]
    assert said in capsys.readouterr().err
    assert report["pass_rate"]["n"] == 0
    assert report["lost_runs"] == len(runs_of(tmp_path / "out")) >= 5


def test_a_refused_key_ends_the_assessment_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ScriptedEndpoint(key="right") as endpoint:
        assert assess(endpoint.url, tmp_path / "out", api_key="wrong") == BROKEN_OFF
        assert endpoint.served == []
    assert "the key was refused" in capsys.readouterr().err
    assert "the key was refused" in report_of(tmp_path / "out")["incomplete_reason"]
    assert b"wrong" not in b"".join(path.read_bytes() for path in (tmp_path / "out").glob("report.*"))


def test_nobody_listens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert assess(url, tmp_path / "out") == BROKEN_OFF
    assert "cannot be reached" in capsys.readouterr().err
    assert report_of(tmp_path / "out")["target"]["model"] is None


def test_an_endpoint_that_dies_half_way_leaves_what_was_measured(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        return Reply(("Answer: 5",), break_after=0 if len(endpoint.served) > 7 else None)

    with ScriptedEndpoint(script) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", repeats=5) == BROKEN_OFF
    report = report_of(tmp_path / "out")
    assert not report["complete"]
    # Requests overlap: one that was broken may end before a good one, and then it is no part of the end.
    assert report["pass_rate"]["n"] >= 6
    assert report["lost_runs"] >= 5
    runs = runs_of(tmp_path / "out")
    assert len(runs) == report["pass_rate"]["n"] + report["lost_runs"]
    assert sum(run["error"] is None for run in runs) == 6
    assert any("count in no rate" in note["en"] for note in report["notes"])


def test_an_endpoint_that_dies_during_the_performance_measurement(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        scenario_requests = 2 * len(report_items)
        return Reply(break_after=0 if len(endpoint.served) > scenario_requests + 9 else None)

    report_items = json.loads(
        files("wending.assess.scenarios").joinpath("math_reasoning.json").read_text("utf-8")
    )["items"]
    report_items = [item for item in report_items if item.get("level", 1) == 1]
    with ScriptedEndpoint(script) as endpoint:
        assert assess(endpoint.url, tmp_path / "out", performance_seconds=5) == BROKEN_OFF
    report = report_of(tmp_path / "out")
    assert not report["complete"]
    assert report["pass_rate"]["n"] == 2 * len(report_items)
    assert report["performance"][0]["ttft_s"]["n"] == 7


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


def test_a_checkpoint_that_cannot_be_served_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "checkpoint"
    empty.mkdir()
    assert assess(str(empty), tmp_path / "out") == BROKEN_OFF
    said = capsys.readouterr().err
    assert "the server did not start: exit status" in said
    assert "config.json" in said
    assert (tmp_path / "out" / "server.log").stat().st_size > 0
    report_of(tmp_path / "out")


def test_messages_in_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedEndpoint() as endpoint:
        status = run_assessment(
            endpoint.url, out=tmp_path / "out", scenarios=["math_reasoning"], repeats=1, language="zh",
            performance_seconds=0,
        )  # fmt: skip
    assert status == DONE
    captured = capsys.readouterr()
    assert "场景检验" in captured.err
    assert "报告：" in captured.out


def test_ctrl_c_keeps_the_runs_and_writes_the_report(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from wending.assess.main import run_assessment;"
        "sys.exit(run_assessment(sys.argv[1], out=Path(sys.argv[2]), repeats=5, language='en', "
        "performance_seconds=0))"
    )
    out = tmp_path / "out"
    with ScriptedEndpoint(lambda request: Reply(("Answer: 5",), first_delay=0.2)) as endpoint:
        process = subprocess.Popen(
            [sys.executable, "-c", script, endpoint.url, str(out)],
            stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not ((out / "runs.jsonl").exists() and len(runs_of(out)) >= 3) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted with Ctrl-C" in said
    report = report_of(out)
    assert not report["complete"]
    assert (
        3
        <= report["pass_rate"]["n"]
        == len(runs_of(out))
        < sum(s["planned_runs"] for s in report["scenarios"])
    )


def test_a_mistake_of_our_own_costs_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(item: object, answers: list[str]) -> list[object]:
        if len(runs_of(tmp_path / "out")) >= 3:
            raise ZeroDivisionError("planted")
        return []

    monkeypatch.setattr("wending.assess.runner.judge", judge)
    with ScriptedEndpoint() as endpoint, pytest.raises(ZeroDivisionError):
        assess(endpoint.url, tmp_path / "out")
    report = report_of(tmp_path / "out")
    assert report["incomplete_reason"] == "internal error: ZeroDivisionError: planted"
    assert report["pass_rate"]["n"] >= 3


def test_a_scenario_named_twice_is_asked_once(tmp_path: Path) -> None:
    with ScriptedEndpoint() as endpoint:
        names = ["math_reasoning", "math_reasoning"]
        assert assess(endpoint.url, tmp_path / "out", scenarios=names, repeats=1) == DONE
    assert [scenario["id"] for scenario in report_of(tmp_path / "out")["scenarios"]] == ["math_reasoning"]
