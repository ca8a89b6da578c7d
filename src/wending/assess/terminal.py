"""The closing table at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wending.assess.report import sentences
from wending.assess.report.numbers import between, interval_percent, milliseconds, per_second, percent
from wending.assess.wording import Language, say


def print_result(console: Console, report: Mapping[str, Any], language: Language) -> None:
    """Prints pass rates, performance and the most frequent stability problem of a report.json."""
    if any(scenario["runs"] for scenario in report["scenarios"]):
        console.print(_scenario_table(report, language))
    if any(result["ttft_s"]["n"] for result in report["performance"]):
        console.print(_performance_table(report, language))
    problems = sorted(
        report["stability_problems"], key=lambda row: -row["frequency"]["k"] / row["frequency"]["n"]
    )
    if problems:
        worst = problems[0]
        count = len({row["type"] for row in problems})
        line = say(
            "problem" if count == 1 else "problems",
            language,
            count=count,
            title=worst["title"][language],
            k=worst["frequency"]["k"],
            n=worst["frequency"]["n"],
            scenario=worst["scenario"],
        )
        console.print(Text(line), soft_wrap=True)
    elif any(scenario["runs"] for scenario in report["scenarios"]):
        console.print(say("no_problems", language))


def _scenario_table(report: Mapping[str, Any], language: Language) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=Text(str(report["target"]["model"])), title_justify="left")
    table.add_column(say("scenario", language))
    for key in ("passed", "rate", "interval", "same_text", "same_answer"):
        table.add_column(say(key, language), justify="right")
    for scenario in report["scenarios"]:
        rate, agreement = scenario["pass_rate"], scenario["agreement"]
        table.add_row(
            Text(scenario["title"][language]),
            f"{rate['k']}/{rate['n']}",
            percent(rate["k"] / rate["n"]) if rate["n"] else "–",
            interval_percent(rate),
            percent(agreement["tar_raw"]),
            sentences.same_answer(agreement)[language],
        )
    return table


def _performance_table(report: Mapping[str, Any], language: Language) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(say("request_type", language))
    for key in ("ttft", "speed", "max_concurrency"):
        table.add_column(say(key, language), justify="right")
    for result in report["performance"]:
        table.add_row(
            say(result["request_type"], language),
            _median(result["ttft_s"], milliseconds),
            _median(result["tokens_per_s"], per_second),
            Text(sentences.concurrency(result)[language]),
        )
    return table


def _median(found: Mapping[str, Any], text: Callable[[float | None], str]) -> Text:
    """With its bounds beneath, where the count carries them."""
    bounds = between(found["p50_bounds"], text)
    return Text.assemble(text(found["p50"]), (f"\n{bounds}" if bounds else "", "dim"))
