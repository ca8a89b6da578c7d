"""The report as one HTML page: no reference to anything outside it, everything from an answer escaped."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wending.assess.report import charts, numbers, sentences
from wending.assess.report.levels import COLUMNS, level_rows
from wending.assess.report.settings_rows import settings_rows
from wending.assess.report.texts import Pair, both, pair

Report = Mapping[str, Any]


def render_html(report: Report) -> str:
    """The whole page. Its content security policy loads nothing and runs only the page's own script."""
    environment = Environment(
        loader=PackageLoader("wending.assess.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        t=lambda key, **values: both(pair(key, **values)), both=both, numbers=numbers, sentences=sentences
    )
    script = _resource("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html.j2").render(
        report=report,
        title=sentences.title(report),
        style=Markup(_resource("report.css")),
        script=Markup(script),
        script_digest=digest,
        facts=_facts(report),
        sections=_sections,
        runs=sentences.all_runs(report),
        run_at={
            (scenario["id"], run["item"], run["repeat"]): run
            for scenario in report["scenarios"]
            for run in scenario["runs"]
        },
        repeats=range(1, report["settings"]["repeats"] + 1),
        measured=sentences.measured(report["performance"]),
        levels=[
            (result["request_type"], rows)
            for result in sentences.measured(report["performance"])
            if (rows := level_rows(result))
        ],
        level_columns=COLUMNS,
        bar=_bar,
        charts=_performance_charts(report),
        retention_chart=_retention_chart,
        memory_chart=_memory_chart(report["resources"]),
        legend_mark=charts.legend_mark,
        settings_rows=settings_rows(report),
    )


def _resource(name: str) -> str:
    return files("wending.assess.report").joinpath(name).read_text("utf-8")


def _sections(body: str) -> list[str]:
    """Ids of the sections that a body has, in their order."""
    return list(dict.fromkeys(re.findall(r'^<section[^>]* id="(\w+)"', body, re.MULTILINE)))


def _bar(rate: Mapping[str, Any], tone: str = "pass", width: int = 200) -> Markup:
    if not rate["n"]:
        return Markup("")
    label = f"{numbers.rate_percent(rate)} ({numbers.interval_percent(rate)})"
    return charts.interval_bar(rate["k"] / rate["n"], rate["low"], rate["high"], label, tone, width)


def _facts(report: Report) -> list[tuple[str, Pair, Pair]]:
    """The headline figures that were measured: (figure, what it is, what it rests on)."""
    facts = []
    if report["pass_rate"]["n"]:
        facts.append(_rate_fact(report["pass_rate"], "fact_runs"))
    parses = [one["json_rates"]["parses"] for one in report["scenarios"] if one["json_rates"] is not None]
    if parses:  # of the scenario that asks for JSON most
        facts.append(_rate_fact(max(parses, key=lambda rate: rate["n"]), "fact_json"))
    measured = sentences.measured(report["performance"])
    for result in measured[:1]:
        times = result["ttft_s"]
        facts.append(
            (numbers.milliseconds(times["p50"]), pair("fact_ttft"), pair("of_requests", n=times["n"]))
        )
    for result in measured[:1]:
        speed = result["tokens_per_s"]
        facts.append(
            (numbers.per_second(speed["p50"]), pair("fact_speed"), pair("of_requests", n=speed["n"]))
        )
    searched = [result for result in measured if result["max_concurrency"] is not None]
    if searched:
        lowest = min(searched, key=lambda result: result["max_concurrency"])
        found = f"{'≥ ' if lowest['at_least'] else ''}{lowest['max_concurrency']}"
        basis = pair("fact_concurrency_of", n=len(searched), type=pair(lowest["request_type"]))
        facts.append((found, pair("fact_concurrency"), basis))
    resources = report["resources"]
    if resources["peak_memory_bytes"] is not None:
        cpu = pair("fact_cpu", seconds=numbers.duration(resources["cpu_seconds"]))
        facts.append((numbers.bytes_size(resources["peak_memory_bytes"]), pair("fact_memory"), cpu))
    return facts


def _rate_fact(rate: Mapping[str, Any], key: str) -> tuple[str, Pair, Pair]:
    rests_on = pair("of_runs", k=rate["k"], n=rate["n"], interval=numbers.interval_percent(rate))
    return numbers.rate_percent(rate), pair(key), rests_on


def _performance_charts(report: Report) -> dict[str, Markup]:
    """Charts by name; a chart without data is left out."""
    results = sentences.measured(report["performance"])
    found = {}
    for name, key, text in (
        ("ttft", "ttft_s", numbers.tick_seconds),
        ("speed", "tokens_per_s", numbers.tick_number),
    ):
        rows = [
            (pair(result["request_type"]), result["values"][key], result[key]["p50"]) for result in results
        ]
        if any(values for _, values, _ in rows):
            found[name] = charts.strip_chart(rows, text, pair("chart_single")["en"])
    wanted = report["settings"]["objective"]
    for name, key, limit, logarithmic, tick in (
        ("ttft_levels", "ttft_s", wanted["max_ttft_s"], True, numbers.tick_seconds),
        ("speed_levels", "tokens_per_s", wanted["min_tokens_per_s"], True, numbers.tick_number),
        ("total_levels", "total_tokens_per_s", None, False, numbers.tick_number),
    ):
        series = _series(results, key)
        if any(len(line.points) > 1 for line in series):
            label = pair(f"chart_{name}")["en"]
            found[name] = charts.line_chart(series, tick, label, limit=limit, logarithmic=logarithmic)
    return found


def _retention_chart(curves: Sequence[Mapping[str, Any]]) -> Markup:
    """Share of conversations over their turns, a line for each condition."""
    series = [
        charts.Series(
            index,
            [(float(p["turn"]), p["rate"]["k"] / p["rate"]["n"], True) for p in curve["points"]],
        )
        for index, curve in enumerate(curves)
    ]
    return charts.line_chart(series, numbers.percent, pair("retention")["en"], up_to=1.0)


def _series(results: Sequence[Mapping[str, Any]], key: str) -> list[charts.Series]:
    lines = [
        charts.Series(
            index,
            [
                (float(level["concurrency"]), level[key], level["held"])
                for level in _last_of_each(result["levels"])
                if level[key]
            ],
        )
        for index, result in enumerate(results)
    ]
    return [line for line in lines if line.points]


def _last_of_each(levels: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One of each concurrency: a level that was measured again is what it was found to be at last."""
    found = {level["concurrency"]: level for level in levels}
    return [found[concurrency] for concurrency in sorted(found)]


def _memory_chart(resources: Mapping[str, Any]) -> Markup | None:
    points = [(seconds, size / 2**20) for seconds, size in resources["samples"]]
    if len(points) < 3:
        return None
    return charts.area_chart(
        points, lambda x: f"{x:.0f} s", lambda y: f"{y:g} MiB", pair("memory_over_time")["en"]
    )
