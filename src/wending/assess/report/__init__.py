"""Writes a report (the form of report.json) as JSON, Markdown and one offline HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from wending.assess.report.html import render_html
from wending.assess.report.markdown import render_markdown


def write_reports(report: Mapping[str, Any], folder: Path) -> None:
    """Writes report.json, report.md and report.html into `folder`."""
    (folder / "report.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    (folder / "report.md").write_text(render_markdown(report), "utf-8")
    (folder / "report.html").write_text(render_html(report), "utf-8")
