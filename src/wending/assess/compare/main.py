"""Compares two reports from the command line: what `wending compare` runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wending.assess.bilingual import Bilingual, in_language
from wending.assess.compare.comparison import RATIOS, Row, compare, worse
from wending.assess.compare.fail_rule import FailRule
from wending.assess.compare.report_file import load_report
from wending.assess.report.numbers import NONE, milliseconds
from wending.assess.wording import Language, say

KEPT, BROKEN, UNDECIDED = 0, 1, 2
"""Exit status: no rule is broken; one is; none is, but one could not be decided, or nothing be compared."""


def run_comparison(first: Path, second: Path, fail_on: Sequence[str], language: Language) -> int:
    """Prints what changed from the first report to the second; each a report.json or the folder of one."""
    console, errors = Console(), Console(stderr=True)

    def complain(words: str) -> None:
        errors.print(in_language(words, language), style="red", markup=False, soft_wrap=True)

    try:
        rules = [FailRule.parse(text) for text in fail_on]
        reports = [load_report(path) for path in (first, second)]
        rows = compare(*reports)
        if all(row.change is None for row in rows):
            raise ValueError(Bilingual("the two reports have nothing in common", "两份报告没有共同的内容"))
    except ValueError as error:
        complain(say("error", language, message=in_language(error.args[0], language)))
        return UNDECIDED
    heads = [
        f"{path}\n{report['target']['model']}" for path, report in zip((first, second), reports, strict=True)
    ]
    console.print(_table(rows, heads, language))
    unfinished = [
        path for path, report in zip((first, second), reports, strict=True) if not report["complete"]
    ]
    for path in unfinished:
        complain(Bilingual(f"{path}: the assessment is incomplete", f"{path}：评测不完整"))
    broken = [(rule, row) for rule in rules for row in rule.broken_by(rows)]
    for rule, row in broken:
        line = say("rule_broken", language, rule=rule.text, name=in_language(row.name, language))
        console.print(line, style="red", markup=False, soft_wrap=True)
    undecided = [(rule, name) for rule in rules for name in rule.undecided_by(rows)]
    for rule, name in undecided:
        complain(
            Bilingual(
                f"--fail-on {rule.text}: cannot be decided: {name}",
                f"--fail-on {rule.text}：无法判定：{name.zh}",
            )
        )
    if broken:
        return BROKEN
    return UNDECIDED if rules and (unfinished or undecided) else KEPT


def _table(rows: Sequence[Row], heads: Sequence[str], language: Language) -> Table:
    table, are_worse = Table(box=box.SIMPLE_HEAD), worse(rows)
    table.add_column("")
    for title in (*heads, say("change", language), say("interval", language)):
        table.add_column(Text(title), justify="right", overflow="fold")
    for row in rows:
        name = Text(in_language(row.name, language), style="red" if row in are_worse else "")
        table.add_row(
            name, _figure(row, row.first), _figure(row, row.second), _change(row, row.change), _between(row)
        )
    return table


def _figure(row: Row, value: float | None) -> str:
    if value is None:
        return NONE
    match row.kind:
        case "ttft":
            return milliseconds(value)
        case "speed" | "concurrency":
            return f"{value:,.0f}"
        case _:
            return f"{100 * value:.0f}%"


def _change(row: Row, change: float | None) -> str:
    if change is None:
        return NONE
    return f"x {change:.2f}" if row.kind in RATIOS else f"{100 * change:+.0f}%"


def _between(row: Row) -> str:
    interval = row.interval
    return NONE if interval is None else f"{_change(row, interval.low)} … {_change(row, interval.high)}"
