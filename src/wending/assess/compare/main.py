"""Compares two reports from the command line: what `wending compare` runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wending.assess.bilingual import Bilingual, in_language
from wending.assess.compare.comparison import RATIOS, Row, compare
from wending.assess.compare.fail_rule import FailRule
from wending.assess.report.numbers import milliseconds
from wending.assess.wording import Language, say

SAME, WORSE, USAGE = 0, 1, 2
"""Exit status: no rule is broken, one is, nothing could be compared."""


def run_comparison(first: Path, second: Path, fail_on: Sequence[str], language: Language) -> int:
    """Prints what changed from the first report to the second; each a report.json or the folder of one."""
    console, errors = Console(), Console(stderr=True)
    try:
        rules = [FailRule.parse(text) for text in fail_on]
        reports = [load_report(path) for path in (first, second)]
        rows = compare(*reports)
        if not rows:
            raise ValueError(Bilingual("the two reports have nothing in common", "两份报告没有共同的内容"))
    except ValueError as error:
        message = in_language(error.args[0], language)
        errors.print(say("error", language, message=message), style="red", markup=False, soft_wrap=True)
        return USAGE
    console.print(_table(rows, [str(report["target"]["model"]) for report in reports], language))
    broken = [(rule, row) for rule in rules for row in rule.broken_by(rows)]
    for rule, row in broken:
        line = say("rule_broken", language, rule=rule.text, name=in_language(row.name, language))
        console.print(line, style="red", markup=False, soft_wrap=True)
    return WORSE if broken else SAME


def load_report(path: Path) -> Mapping[str, Any]:
    """Raises ValueError, which names the file, for what is no report of this version."""
    file = path / "report.json" if path.is_dir() else path
    try:
        report = orjson.loads(file.read_bytes())
    except OSError as error:
        why = error.strerror or str(error)
        raise ValueError(Bilingual(f"{file}: cannot be read: {why}", f"{file}：无法读取：{why}")) from None
    except ValueError as error:
        raise ValueError(Bilingual(f"{file}: is not JSON: {error}", f"{file}：不是 JSON：{error}")) from None
    needed = {"schema", "target", "scenarios", "agreement", "performance"}
    missing = sorted(needed - report.keys()) if isinstance(report, dict) else ["schema"]
    if missing:
        raise ValueError(
            Bilingual(
                f"{file}: is no report of this version: {', '.join(missing)} is missing",
                f"{file}：不是本版本的报告：缺少 {', '.join(missing)}",
            )
        )
    return dict(report)


def _table(rows: Sequence[Row], models: Sequence[str], language: Language) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("")
    for title in (*models, say("change", language), say("interval", language)):
        table.add_column(Text(title), justify="right")
    for row in rows:
        change = "–" if row.change is None else _change(row, row.change)
        interval = "–" if row.interval is None else " … ".join(_change(row, end) for end in row.interval)
        name = Text(in_language(row.name, language), style="red" if row.is_worse else "")
        table.add_row(name, _figure(row, row.first), _figure(row, row.second), change, interval)
    return table


def _figure(row: Row, value: float) -> str:
    match row.kind:
        case "ttft":
            return milliseconds(value)
        case "speed" | "concurrency":
            return f"{value:,.0f}"
        case _:
            return f"{100 * value:.0f}%"


def _change(row: Row, change: float) -> str:
    return f"x {change:.2f}" if row.kind in RATIOS else _points(change)


def _points(share: float) -> str:
    return f"{100 * share:+.0f}%"
