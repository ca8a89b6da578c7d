"""Answers with the schema in the request, from endpoints that enforce, refuse or do not bear it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.assess.assessing import assess, report_of, runs_of
from tests.assess.decided import Decided, Request, say
from tests.assess.in_thread import in_thread

from wending.assess.conductor import DONE
from wending.assess.scripted.reply import Reply, refusal


def test_json_is_asked_with_and_without_its_schema(tmp_path: Path) -> None:
    """An endpoint that enforces schemas, but not those of arrays."""

    def script(request: Request) -> Reply:
        form = request.get("response_format")
        if form is None:
            return say("nothing of the kind")
        if form["json_schema"]["schema"]["type"] == "array":
            return refusal(400, "no arrays, please")
        return say(json.dumps(smallest(form["json_schema"]["schema"])))

    options: dict[str, Any] = {"scenarios": ["json_output"], "repeats": 1, "response_format_repeats": 2}
    with in_thread(Decided(script)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", **options) == DONE
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
            return refusal(400, "unknown field response_format")
        return say("[]")

    options: dict[str, Any] = {"scenarios": ["json_output"], "repeats": 1, "response_format_repeats": 5}
    with in_thread(Decided(script)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", **options) == DONE
    report = report_of(tmp_path / "out")
    [scenario] = report["scenarios"]
    assert report["complete"]
    assert not scenario["response_format"]["offered"]
    assert scenario["response_format"]["json_rates"] is None
    assert scenario["response_format"]["pass_rate"]["n"] == 0
    assert "unknown field response_format" in scenario["response_format"]["reason"]["zh"]
    assert sum("response_format" in request for request in endpoint.requests) == 1
    assert r"does not offer response\_format" in (tmp_path / "out" / "report.md").read_text("utf-8")


def test_a_schema_that_brings_the_endpoint_down_ends_nothing(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        return refusal(500, "oops") if "response_format" in request else say("[]")

    options: dict[str, Any] = {"scenarios": ["json_output"], "repeats": 1, "response_format_repeats": 3}
    with in_thread(Decided(script)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", **options) == DONE
    [scenario] = report_of(tmp_path / "out")["scenarios"]
    found = scenario["response_format"]
    assert found["offered"]
    assert found["unanswered"]["k"] == found["unanswered"]["n"] == 3 * len(scenario["items"])
