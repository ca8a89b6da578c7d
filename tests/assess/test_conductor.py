"""What the parts of an assessment find in a scripted endpoint stands in its report."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from tests.assess.assessing import assess, report_of, runs_of
from tests.assess.decided import Decided, Request, always, say
from tests.assess.in_thread import in_thread

from wending.assess.conductor import DONE
from wending.assess.report import sentences
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.reply import Reply, refusal

HOSTILE = "<script>alert(1)</script>|\n`</pre>` Answer: 5"


def test_answers_that_change_under_load_are_told_from_those_that_change_anyway(tmp_path: Path) -> None:
    """Item by item: the first one is steady, the second changes under load, the third from time to time."""

    def script(request: Request) -> Reply:
        question = request["messages"][-1]["content"]
        if question not in items:
            return say(*["something"] * 20, gap_s=0.005)  # the load itself
        number = items.index(question)
        asked[number] += 1
        loaded = endpoint.streams > 4
        said = {1: str(loaded), 2: str(asked[2])}.get(number, "5")
        return say("Answer: ", said, first_s=0.02)

    scenario_items = json.loads(
        files("wending.assess.scenarios").joinpath("math_reasoning.json").read_text("utf-8")
    )["items"]
    items = [item["messages"][-1]["content"] for item in scenario_items if item.get("level", 1) == 1]
    asked = dict.fromkeys(range(len(items)), 0)
    with in_thread(Decided(script)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", agreement_repeats=2, concurrency=1) == DONE
    report = report_of(tmp_path / "out")
    agreement = report["agreement"]
    assert [row["condition"] for row in agreement["conditions"]] == ["default", "alone", "loaded"]
    default, alone, loaded = agreement["conditions"]
    assert default["tar_raw"] == alone["tar_raw"] == loaded["tar_raw"] == 1 - 1 / len(items)
    changed = agreement["changed_under_load"]
    assert (changed["k"], changed["n"]) == (1, len(items) - 1)
    assert changed["items"] == [f"math_reasoning/{scenario_items[1]['id']}"]
    greedy = [request for request in endpoint.requests if request["temperature"] == 0]
    assert len(greedy) == 4 * len(items) + 1  # and the trial that the estimate is made of
    runs = runs_of(tmp_path / "out")
    assert [run["condition"] for run in runs].count("loaded") == 2 * len(items)
    assert report["pass_rate"]["n"] == 2 * len(items)  # as clients ask, and no others


def test_turns_of_a_conversation_are_asked_in_order_with_the_live_answers_between(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        return say(f"answer {sum(message['role'] == 'user' for message in request['messages'])}")

    with in_thread(Decided(script)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", scenarios=["role_play"], repeats=1) == DONE
    [scenario] = report_of(tmp_path / "out")["scenarios"]
    turns = {item["id"]: sum(m["role"] == "user" for m in item["messages"]) for item in scenario["items"]}
    assert max(turns.values()) > 1
    for run in scenario["runs"]:
        assert run["answers"] == [f"answer {n + 1}" for n in range(turns[run["item"]])]
        assert run["text"] == run["answers"][-1]
    longest = max((request["messages"] for request in endpoint.requests), key=len)
    spoken = [message for message in longest if message["role"] != "system"]
    assert [message["role"] for message in spoken] == ["user", "assistant"] * (len(spoken) // 2) + ["user"]
    assert [m["content"] for m in spoken[1::2]] == [f"answer {n + 1}" for n in range(len(spoken) // 2)]


def test_the_four_json_rates_are_kept_apart(tmp_path: Path) -> None:
    with in_thread(ScriptedServer(always('[{"id": 1,}]'))) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", scenarios=["json_output"], repeats=1) == DONE
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
        return say(code[1] if code else "Answer: 5", prompt_tokens=len(prompt) // 2)

    with in_thread(Decided(script, Script(max_model_len=2048))) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", repeats=1, context=True) == DONE
        assert assess(endpoint.base_url, tmp_path / "without", repeats=1) == DONE
    context = report_of(tmp_path / "out")["context"]
    assert (context["limit"], context["stopped_by"], context["first_miss"]) == (2048, "limit", None)
    assert sum(point["rate"]["k"] for point in context["points"]) == len(context["probes"]) == 12
    for name in ("report.html", "report.md"):
        assert context["summary"]["en"] in (tmp_path / "out" / name).read_text("utf-8")
    assert context["summary"]["zh"] in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert report_of(tmp_path / "without")["context"] is None


def test_a_load_that_could_never_be_driven_costs_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wending.assess.load.drive.LIMIT_S", 0.0)
    monkeypatch.setattr("wending.assess.load.drive.LIMIT_SHARE", 0.0)
    with in_thread(ScriptedServer(always("Answer: 5"))) as endpoint:
        assert assess(endpoint.base_url, tmp_path, performance_seconds=0.5) == DONE
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
    script = always(HOSTILE, model="<img src=x onerror=alert(2)>")
    with in_thread(ScriptedServer(script)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", repeats=1) == DONE
    report_of(tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<img" not in page
    assert page.count("<script>") == 1
    assert page.count("</pre>") == page.count("<pre")
    assert "<script>" not in (tmp_path / "out" / "report.md").read_text("utf-8")


def test_missing_usage_is_told(tmp_path: Path) -> None:
    with in_thread(ScriptedServer(always("one two three", usage=False))) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", repeats=1) == DONE
    report = report_of(tmp_path / "out")
    assert report["settings"]["tokens_counted_by"] == "content_events"
    assert any("no token counts" in note["en"] for note in report["notes"])
    assert report["scenarios"][0]["runs"][0]["tokens"] == 3


def test_single_failures_count_as_failures_and_do_not_end_the_assessment(tmp_path: Path) -> None:
    calls = 0

    def script(request: Request) -> Reply:
        nonlocal calls
        calls += 1
        return refusal(500, "hiccup") if calls % 4 == 0 else say("Answer: 5")

    with in_thread(Decided(script)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out") == DONE
    report = report_of(tmp_path / "out")
    runs = report["scenarios"][0]["runs"]
    failed = [run for run in runs if run["error"]]
    assert len(failed) == len(runs) // 4
    assert all("hiccup" in run["error"] and not run["pass"] for run in failed)
    assert report["scenarios"][0]["pass_rate"]["n"] == len(runs)
    [problem] = [row for row in report["stability_problems"] if row["type"] == "server_error"]
    assert problem["frequency"]["k"] == len(failed)
    assert {run["error_type"] for run in runs} == {None, "server_error"}
