"""The page: offline, in two languages, complete for whatever was measured."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.assess.assessing import SCHEMA
from tests.assess.decided import always
from tests.assess.in_thread import in_thread

from wending.assess.compare.comparison import compare
from wending.assess.main import run_assessment
from wending.assess.report import texts
from wending.assess.report.html import render_html
from wending.assess.report.levels import COLUMNS, level_rows
from wending.assess.report.levels_csv import render_levels_csv
from wending.assess.report.markdown import render_markdown
from wending.assess.scripted import ScriptedServer

VOID = {"meta", "link", "br", "img", "input"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A whole report of two scenarios and the performance of a scripted endpoint."""
    out = tmp_path_factory.mktemp("page") / "out"
    with in_thread(ScriptedServer(always("Answer: 5 " * 6))) as endpoint:
        scenarios = ["math_reasoning", "json_output"]
        run_assessment(
            endpoint.base_url, out=out, scenarios=scenarios, repeats=2, performance_seconds=1, language="en"
        )
    found: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    return found


class Page(HTMLParser):
    """Checks that elements are closed in order; collects references, ids and the languages of texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.languages = {"en": 0, "zh": 0}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attributes}
        self.references += [named[name] for name in ("href", "src", "action", "xlink:href") if name in named]
        self.ids += [named["id"]] if "id" in named else []
        for language in self.languages:
            self.languages[language] += language in named.get("class", "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)


def test_the_page_is_well_formed_and_refers_to_nothing_outside(report: dict[str, Any]) -> None:
    text = render_html(report)
    page = Page(text)
    assert [reference for reference in page.references if not reference.startswith("#")] == ["data:,"]
    targets = [reference[1:] for reference in page.references if reference.startswith("#")]
    assert set(targets) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "url(" not in text
    assert "@import" not in text
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\(", text)


def test_every_text_is_there_in_both_languages(report: dict[str, Any]) -> None:
    page = Page(render_html(report))
    assert page.languages["en"] == page.languages["zh"] > 100


def test_what_the_model_recovers_from_is_there_without_any_fault(report: dict[str, Any]) -> None:
    """Such conversations are of level 2 and were not asked here: the rows say so."""
    assert report["recovery"] is None
    html, markdown = render_html(report), render_markdown(report, "en")
    for row in report["model_recovery"]:
        assert row["recovered"]["n"] == 0
        for text in (html, markdown):
            assert row["title"]["en"].split("'")[0] in text
        assert row["title"]["zh"] in html
    assert "not asked: no such conversation" in html
    assert "not asked: no such conversation" in markdown


def test_every_run_has_a_square_and_an_answer(report: dict[str, Any]) -> None:
    text = render_html(report)
    runs = [(scenario["id"], run) for scenario in report["scenarios"] for run in scenario["runs"]]
    assert text.count('<a class="cell ') == len(runs)
    for scenario, run in runs:
        name = f"run-{scenario}-{run['item']}-{run['repeat']}"
        assert f'href="#{name}"' in text
        assert f'id="{name}"' in text


def test_a_broken_report_is_a_page_too(report: dict[str, Any]) -> None:
    nothing = {
        **report,
        "complete": False,
        "incomplete_reason": "the endpoint is down",
        "target": {**report["target"], "model": None},
        "pass_rate": {"k": 0, "n": 0, "low": None, "high": None},
        "scenarios": [],
        "performance": [],
        "stability_problems": [],
    }
    text = render_html(nothing)
    Page(text)
    assert "the endpoint is down" in text
    assert "No run was finished." in text
    assert "the endpoint is down" in render_markdown(nothing, "en")


def test_memory_and_lower_bounds_are_shown(report: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(report))
    changed["resources"] = {
        "peak_memory_bytes": 183500800,
        "cpu_seconds": 12.5,
        "wall_seconds": 25.0,
        "samples": [[0.0, 100], [0.5, 183500800], [1.0, 183500800]],
        "reason": None,
    }
    changed["performance"][0] |= {
        "max_concurrency": 64,
        "at_least": True,
        "failed_at": None,
        "stopped_by": "cap",
        "levels": [{**level, "held": True} for level in changed["performance"][0]["levels"]],
    }
    text = render_html(changed)
    Page(text)
    assert "175 MiB" in text
    assert "at least 64" in text
    assert "至少 64" in text
    assert "the cap of 64 was reached" in text


def test_markdown_tables_hold_together(report: dict[str, Any]) -> None:
    text = render_markdown(report, "en")
    for table in tables(text):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    for heading in ("## Scenarios", "## Performance", "## Stability problems"):
        assert heading in text


def test_markdown_is_there_in_chinese_too(report: dict[str, Any]) -> None:
    english, chinese = (render_markdown(report, language) for language in ("en", "zh"))
    assert len(english.splitlines()) == len(chinese.splitlines())
    for heading in ("## 场景", "## 性能", "## 稳定性问题"):
        assert heading in chinese
    assert "Scenario" not in chinese
    assert "场景" not in english


def test_what_differs_at_temperature_0_is_named_with_its_texts(report: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(report))
    changed["agreement"]["parted"] = [
        {
            "scenario": "math_reasoning",
            "item": "two_pipes",
            "characters": 3,
            "alone": ["abc1"],
            "loaded": ["abc2"],
        }
    ]
    html, markdown = render_html(changed), render_markdown(changed, "en")
    for text in ("two_pipes", "abc1", "abc2"):
        assert text in html
    if changed["agreement"]["conditions"]:
        assert "math\\_reasoning/two\\_pipes" in markdown


NEW = re.compile(r".*_(bounds|interval)|diverge_at_items|pass_at_k|distributions|unsteady|measured_again")


def as_before(value: Any, key: str = "") -> Any:
    """A report without the fields that came with bounds and intervals."""
    if isinstance(value, list):
        return [as_before(one, key) for one in value]
    if not isinstance(value, dict):
        return value
    gone = {
        "pass_hat_k": {"low", "high"},
        "performance": {"steady"},
        "levels": {"goodput", "error_rate", "valid_rate"},
    }.get(key, set())
    kept = {name: one for name, one in value.items() if name not in gone and not NEW.fullmatch(name)}
    return {name: as_before(one, name) for name, one in kept.items()}


def test_a_report_of_before_is_still_shown_and_compared(report: dict[str, Any]) -> None:
    before = as_before(report)
    assert "distributions" not in json.dumps(before)
    assert "p50_bounds" not in json.dumps(before)
    jsonschema.Draft202012Validator(SCHEMA).validate(before)
    Page(render_html(before))
    assert "pass^k" in render_markdown(before, "en")
    assert compare(before, report)


TIMES = {"p50": 0.5, "p50_bounds": [0.4, 0.6], "p95": 1.9, "p95_bounds": [1.5, 2.5], "n": 80}
SPEEDS = {"p5": 20.0, "p5_bounds": None, "p50": 50.0, "p50_bounds": [45.0, 55.0], "p95": None,
          "p95_bounds": None, "n": 19}  # fmt: skip


def level(**fields: Any) -> dict[str, Any]:
    """One that held, as it stands in report.json."""
    found = {
        "concurrency": 2, "requests": 80, "errors": 0, "valid": 80, "seconds": 9.0, "ttft_s": 1.9,
        "tokens_per_s": 20.0, "worst": False, "total_tokens_per_s": 90.0, "answer_s": 2.0, "steady": True,
        "decided_early": False, "send_lag_s": 0.0, "loop_lag_s": 0.0, "missed": [], "reason": "",
        "reason_zh": "", "confirmation": False, "held": True, "unsteady": None, "measured_again": None,
        "distributions": {"ttft_s": TIMES, "tokens_per_s": SPEEDS},
    }  # fmt: skip
    return found | fields


def test_the_single_levels_say_what_became_of_them(report: dict[str, Any]) -> None:
    rose = {"en": "the time to the first token rose", "zh": "首字时延上升"}
    changed = json.loads(json.dumps(report))
    [result, *_] = changed["performance"] = changed["performance"][:1]
    result["levels"] = [
        level(),
        level(concurrency=4, worst=True, ttft_s=2.1, reason="too slow", reason_zh="太慢", missed=["ttft"],
              held=False, decided_early=True),
        level(confirmation=True, steady=False, unsteady=rose, measured_again=rose),
    ]  # fmt: skip
    result["invalid_levels"] = [
        {"concurrency": 3, "send_lag_s": 0.1, "loop_lag_s": 0.0, "reason": "late", "reason_zh": "太迟"}
    ]
    result |= {"max_concurrency": 2, "steady": {"measured": 2, "steady": 1}, "at_least": False}
    rows = level_rows(result)
    assert [(row.streams, row.outcome) for row in rows] == [
        (2, "held"), (2, "held"), (3, "invalid"), (4, "failed")
    ]  # fmt: skip
    assert (rows[0].cells[1].words["en"], rows[0].cells[1].interval) == ("1.90 s", "1.50–2.50 s")
    assert rows[3].cells[1].words == {"en": "slowest 2.10 s", "zh": "最慢 2.10 s"}
    assert len({len(row.cells) for row in rows} | {len(COLUMNS)}) == 1
    text = render_html(changed)
    Page(text)
    for english, chinese in (
        ("failed: too slow", "未达标：太慢"),
        ("invalid: late", "无效：太迟"),
        ("not steady: the time to the first token rose", "未达稳态：首字时延上升"),
        ("measured again, twice as long; at first the time", "已以两倍时长重测；首次首字时延上升"),
        ("steady 1/2", "稳态 1/2"),
    ):
        assert english in text
        assert chinese in text
        assert english in render_markdown(changed, "en")


def test_levels_for_a_spreadsheet(report: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(report))
    [result, *_] = changed["performance"] = changed["performance"][:1]
    times = TIMES | {"p95_bounds": None}
    result["levels"] = [
        level(held=False, missed=["ttft", "speed"], unsteady={"en": "it rose", "zh": "上升"},
              distributions={"ttft_s": times, "tokens_per_s": SPEEDS})
    ]  # fmt: skip
    result["invalid_levels"] = [
        {"concurrency": 3, "send_lag_s": 0.1, "loop_lag_s": 0.0, "reason": "late", "reason_zh": "太迟"}
    ]
    first, second = csv.DictReader(io.StringIO(render_levels_csv(changed)))
    assert (first["outcome"], first["missed"], first["unsteady"]) == ("failed", "ttft speed", "it rose")
    assert (first["ttft_s_p50"], first["ttft_s_p50_low"], first["ttft_s_p50_high"]) == ("0.5", "0.4", "0.6")
    assert (first["ttft_s_p95"], first["ttft_s_p95_low"]) == ("1.9", "")
    assert (second["concurrency"], second["outcome"], second["reason"]) == ("3", "invalid", "late")


def test_all_of_k_and_one_of_k_stand_beside_each_other(report: dict[str, Any]) -> None:
    for scenario in report["scenarios"]:
        assert [row["k"] for row in scenario["pass_hat_k"]] == [row["k"] for row in scenario["pass_at_k"]]
        for all_pass, one_passes in zip(scenario["pass_hat_k"], scenario["pass_at_k"], strict=True):
            assert all_pass["low"] <= all_pass["share"] <= all_pass["high"]
            assert all_pass["share"] <= one_passes["share"]
        once = scenario["pass_hat_k"][0]
        rate = scenario["pass_rate"]
        assert (once["low"], once["high"]) == pytest.approx((rate["low"], rate["high"]), abs=1e-4)
    text = render_html(report)
    assert "k 次至少一次通过（pass@k）" in text
    assert "One of k passes (pass@k)" in text


def tables(text: str) -> Iterator[list[str]]:
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        if lines:
            yield lines


def test_texts_take_the_same_values_in_both_languages() -> None:
    def fields(text: str) -> set[str]:
        return set(re.findall(r"{(\w+)", text))

    for key, (english, chinese) in texts._TEXTS.items():
        assert fields(english) == fields(chinese), key


def test_the_schema_is_shipped_and_the_docs_name_every_field(report: dict[str, Any]) -> None:
    documentation = (Path(__file__).parents[3] / "docs" / "report-format.md").read_text("utf-8")
    for key in [*report, *report["settings"], *report["performance"][0], *report["scenarios"][0]]:
        assert f"`{key}`" in documentation, key
