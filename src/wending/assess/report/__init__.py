"""Writes a report (the form of report.json) as JSON, CSV, Markdown and one offline HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from wending.assess.report.html import render_html
from wending.assess.report.levels_csv import render_levels_csv
from wending.assess.report.markdown import render_markdown
from wending.assess.report.runs_csv import render_csv


def write_reports(report: Mapping[str, Any], folder: Path) -> None:
    """Writes report.json, runs.csv, levels.csv, report.md and report.html into `folder`."""
    (folder / "report.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    (folder / "runs.csv").write_text(render_csv(report), "utf-8-sig")  # the mark tells spreadsheets
    (folder / "levels.csv").write_text(render_levels_csv(report), "utf-8-sig")
    (folder / "report.md").write_text(render_markdown(report), "utf-8")
    (folder / "report.html").write_text(render_html(report), "utf-8")
