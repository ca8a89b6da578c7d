"""Writes a report (the form of report.json) as JSON, CSV, Markdown and one offline HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from wending.assess.output import write_whole
from wending.assess.report.html import render_html
from wending.assess.report.levels_csv import render_levels_csv
from wending.assess.report.markdown import render_markdown
from wending.assess.report.runs_csv import render_csv


def write_reports(report: Mapping[str, Any], folder: Path) -> None:
    """Writes report.json, runs.csv, levels.csv, report.md, report.zh.md and report.html into `folder`.

    Raises OutputError.
    """
    write_whole(folder / "report.json", orjson.dumps(report, option=orjson.OPT_INDENT_2))
    write_whole(folder / "runs.csv", render_csv(report).encode("utf-8-sig"))  # the mark tells spreadsheets
    write_whole(folder / "levels.csv", render_levels_csv(report).encode("utf-8-sig"))
    write_whole(folder / "report.md", render_markdown(report, "en").encode())
    write_whole(folder / "report.zh.md", render_markdown(report, "zh").encode())
    write_whole(folder / "report.html", render_html(report).encode())
