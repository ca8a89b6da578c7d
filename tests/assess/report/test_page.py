"""The page: offline, in two languages, complete for whatever was measured."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.assess.decided import always
from tests.assess.in_thread import in_thread

from wending.assess.main import run_assessment
from wending.assess.report import texts
from wending.assess.report.html import render_html
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
    html, markdown = render_html(report), render_markdown(report)
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
    assert "the endpoint is down" in render_markdown(nothing)


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
    }
    text = render_html(changed)
    Page(text)
    assert "175 MiB" in text
    assert "at least 64" in text
    assert "至少 64" in text
    assert "the cap of 64 was reached" in text


def test_markdown_tables_hold_together(report: dict[str, Any]) -> None:
    text = render_markdown(report)
    for table in tables(text):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    for heading in ("Scenarios · 场景", "Performance · 性能", "Stability problems · 稳定性问题"):
        assert heading in text


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
