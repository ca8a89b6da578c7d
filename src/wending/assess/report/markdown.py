"""The report in short as Markdown: English text, headings in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from wending.assess.report import sentences
from wending.assess.report.levels import COLUMNS, level_rows
from wending.assess.report.numbers import (
    NONE,
    between,
    bytes_size,
    count,
    duration,
    interval_percent,
    milliseconds,
    per_second,
    percent,
    points_changed,
    rate_percent,
)
from wending.assess.report.settings_rows import settings_rows
from wending.assess.report.texts import pair

Report = Mapping[str, Any]


def render_markdown(report: Report) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {_escape(sentences.title(report)['en'])}"
    yield ""
    target, took = sentences.target(report)["en"], duration(report["duration_s"])
    yield f"{_escape(target)}; {report['started']}, took {took}"
    yield ""
    if report["incomplete_reason"] is not None:
        reason = pair("incomplete_text", reason=sentences.in_both(report, "incomplete_reason"))["en"]
        yield f"**Incomplete.** {_escape(reason)}"
        yield ""
    yield from _verdict(report)
    yield _escape(sentences.summary(report)["en"])
    yield from (f"\n> {_escape(note['en'])}" for note in report["notes"])
    yield from _scenarios(report)
    yield from _json_rates(report)
    yield from _agreement(report)
    yield from _retention(report)
    yield from _context(report)
    yield from _performance(report)
    yield from _resources(report)
    yield from _recovery(report)
    yield from _problems(report)
    yield from _heading("settings")
    yield from _table(("", ""), [(label["en"], value) for label, value in settings_rows(report)])


def _scenarios(report: Report) -> Iterator[str]:
    yield from _heading("scenarios")
    yield from _table(
        ("Scenario", "Passed", "Rate", "95% interval", "pass^k", "Same text", "Same answer"),
        [
            (
                f"{scenario['title']['en']} · {scenario['title']['zh']}",
                f"{scenario['pass_rate']['k']} / {scenario['pass_rate']['n']}",
                rate_percent(scenario["pass_rate"]),
                interval_percent(scenario["pass_rate"]),
                _all_of_k(scenario),
                _share(scenario["agreement"], "tar_raw"),
                _same_answer(scenario["agreement"]),
            )
            for scenario in report["scenarios"]
        ],
    )
    yield from _every_k(report)


def _every_k(report: Report) -> Iterator[str]:
    rows = [
        (
            f"{scenario['title']['en']} · {scenario['title']['zh']}",
            str(found["k"]),
            *_of_k(found),
            *(("–", "–") if some is None else _of_k(some)),
            str(found["items"]),
        )
        for scenario in report["scenarios"]
        for found, some in sentences.every_k(scenario)
    ]
    if rows:
        yield from _heading("every_k", level=3)
        yield from (_escape(words) for words in pair("every_k_note").values())
        yield ""
        head = ("Scenario", "k", "pass^k", "95% interval", "pass@k", "95% interval", "Items")
        yield from _table(head, rows)


def _of_k(found: Mapping[str, Any]) -> tuple[str, str]:
    return percent(found["share"]), interval_percent(found)


def _all_of_k(scenario: Mapping[str, Any]) -> str:
    found = sentences.all_of_k(scenario)
    if found is None:
        return NONE
    return f"k = {found['k']}: {percent(found['share'])} ({interval_percent(found)})"


def _share(found: Mapping[str, Any], name: str) -> str:
    return _with(percent(found[name]), between(found.get(f"{name}_interval"), percent))


def _same_answer(found: Mapping[str, Any]) -> str:
    interval = between(found.get("tar_answer_interval"), percent)
    return _with(sentences.same_answer(found)["en"], interval)


def _quantile(found: Mapping[str, Any], name: str, text: Callable[[float | None], str]) -> str:
    return _with(text(found[name]), between(found.get(f"{name}_bounds"), text))


def _with(figure: str, interval: str) -> str:
    return f"{figure} ({interval})" if interval else figure


def _verdict(report: Report) -> Iterator[str]:
    verdict = report["verdict"]
    yield f"**{verdict['title']['en']} · {verdict['title']['zh']}**"
    yield ""
    yield from _table(
        ("Rule", "", "Finding"),
        [(rule["demand"]["en"], rule["outcome"], rule["finding"]["en"]) for rule in verdict["rules"]],
    )
    yield ""


def _agreement(report: Report) -> Iterator[str]:
    agreement = report["agreement"]
    if not agreement["conditions"]:
        return
    yield from _heading("agreement")
    yield from _table(
        (
            "Condition",
            "Items",
            "Same text",
            "Same answer",
            "Pairs that agree",
            "Characters in common",
        ),
        [
            (
                f"{row['title']['en']} · {row['title']['zh']}",
                str(row["items"]),
                _share(row, "tar_raw"),
                _same_answer(row),
                _share(row, "pairwise"),
                _quantile(row, "diverge_at", count),
            )
            for row in agreement["conditions"]
        ],
    )
    changed = agreement["changed_under_load"]
    if changed is not None:
        words = pair("changed_under_load", k=changed["k"], n=changed["n"], interval=interval_percent(changed))
        yield f"{words['en']} {words['zh']}"
        yield ""


def _retention(report: Report) -> Iterator[str]:
    for scenario in report["scenarios"]:
        if not scenario["retention"]:
            continue
        yield from _heading("retention")
        yield from _table(
            (scenario["title"]["en"], "Turn", "k / n", "Rate", "95% interval", "Conversations", "Change"),
            [
                (
                    f"{curve['title']['en']} · {curve['title']['zh']}",
                    str(point["turn"]),
                    f"{point['rate']['k']} / {point['rate']['n']}",
                    rate_percent(point["rate"]),
                    interval_percent(point["rate"]),
                    str(point["items"]),
                    points_changed(point["change"]),
                )
                for curve in scenario["retention"]
                for point in curve["points"]
            ],
        )


def _context(report: Report) -> Iterator[str]:
    context = report["context"]
    if context is None or not context["probes"]:
        return
    yield from _heading("context")
    yield _escape(context["summary"]["en"])
    yield ""
    yield from _table(
        ("Tokens to the fact", "Recalled", "Rate", "95% interval"),
        [
            (
                f"{point['tokens']:,}",
                f"{point['rate']['k']} / {point['rate']['n']}",
                rate_percent(point["rate"]),
                interval_percent(point["rate"]),
            )
            for point in context["points"]
        ],
    )


def _recovery(report: Report) -> Iterator[str]:
    yield from _heading("recovery")
    yield from _table(
        ("What is done to the model", "Expected", "What happened", "Recovered", "95% interval"),
        [
            (
                row["title"]["en"],
                row["expected"]["en"],
                row["happened"]["en"],
                f"{row['recovered']['k']} / {row['recovered']['n']}",
                interval_percent(row["recovered"]),
            )
            for row in report.get("model_recovery", ())
        ],
    )
    recovery = report["recovery"]
    if recovery is None or not recovery["rows"]:
        return
    marks = {True: "✓", False: "✕", None: "–"}
    yield from _table(
        ("", "Fault", "Expected", "What happened", "Recovered in", "Same answer"),
        [
            (
                marks[row["ok"]],
                row["title"]["en"],
                row["expected"]["en"],
                row["happened"]["en"],
                milliseconds(row["recovered_s"]),
                marks[row["canary_equal"]],
            )
            for row in recovery["rows"]
        ],
    )


def _json_rates(report: Report) -> Iterator[str]:
    for scenario in report["scenarios"]:
        if scenario["json_rates"] is None:
            continue
        yield from _heading("json_rates")
        rows = []
        for condition, pass_rate, rates in sentences.json_conditions(scenario):
            named = {"passes": pass_rate, **rates}
            if condition == "json_with":
                named["unanswered"] = scenario["response_format"]["unanswered"]
            rows += [
                (
                    pair(condition)["en"],
                    pair(f"json_{name}")["en"],
                    f"{rate['k']} / {rate['n']}",
                    rate_percent(rate),
                    interval_percent(rate),
                )
                for name, rate in named.items()
            ]
        yield from _table(("", "", "k / n", "Rate", "95% interval"), rows)
        for note in sentences.response_format(scenario, report["settings"]["response_format_repeats"]):
            yield f"\n{_escape(note['en'])}"


def _performance(report: Report) -> Iterator[str]:
    results = sentences.measured(report["performance"])
    if not results:
        return
    yield from _heading("performance")
    yield _escape(sentences.objective(report)["en"])
    yield ""
    yield from _table(
        (
            "Request",
            "TTFT median",
            "p95",
            "tok/s median",
            "p5",
            "Tokens",
            "n",
            "Highest concurrency",
            "Why it stops there",
        ),
        [
            (
                result["request_type"],
                _quantile(result["ttft_s"], "p50", milliseconds),
                _quantile(result["ttft_s"], "p95", milliseconds),
                _quantile(result["tokens_per_s"], "p50", per_second),
                _quantile(result["tokens_per_s"], "p5", per_second),
                count(result["tokens"]["p50"]),
                str(result["ttft_s"]["n"]),
                sentences.concurrency(result)["en"],
                sentences.stop_reason(result, report["settings"]["concurrency_cap"])["en"],
            )
            for result in results
        ],
    )
    if (words := sentences.generator(report)) is not None:
        yield ""
        yield _escape(words["en"])
    for result in results:
        if (words := sentences.goodput(result)) is not None:
            yield ""
            yield _escape(f"{result['request_type']}: {words['en']}")
    yield from _levels(results)


def _levels(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [(result["request_type"], row) for result in results for row in level_rows(result)]
    if not rows:
        return
    yield from _heading("levels", level=3)
    yield from (_escape(words) for words in pair("levels_note").values())
    yield ""
    titles = [pair(key)["en"] for key in ("request_type", "streams", *COLUMNS, "level_verdict")]
    yield from _table(
        titles,
        [
            (
                request_type,
                str(row.streams),
                *(_with(cell.words["en"], cell.interval) for cell in row.cells),
                "; ".join(words["en"] for words in (row.verdict, *row.remarks)),
            )
            for request_type, row in rows
        ],
    )


def _resources(report: Report) -> Iterator[str]:
    yield from _heading("resources")
    resources = report["resources"]
    if resources["peak_memory_bytes"] is None:
        yield _escape(pair("no_resources", reason=resources["reason"])["en"])
        return
    peak, cpu, wall = (resources[key] for key in ("peak_memory_bytes", "cpu_seconds", "wall_seconds"))
    yield f"Peak memory {bytes_size(peak)}; {cpu:.1f} s of CPU time in {wall:.1f} s."


def _problems(report: Report) -> Iterator[str]:
    yield from _heading("problems")
    if not report["stability_problems"]:
        yield pair("no_problems", n=len(sentences.all_runs(report)))["en"]
        return
    yield from _table(
        ("Type", "Scenario", "Frequency", "95% interval", "Example", "Recommended action"),
        [
            (
                f"{row['title']['en']} · {row['title']['zh']} ({row['type']})",
                row["scenario"],
                f"{row['frequency']['k']} of {row['frequency']['n']}",
                interval_percent(row["frequency"]),
                row["example"],
                row["action"]["en"],
            )
            for row in report["stability_problems"]
        ],
    )


def _heading(key: str, level: int = 2) -> Iterator[str]:
    words = pair(key)
    yield from ("", f"{'#' * level} {words['en']} · {words['zh']}", "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    yield from ("| " + " | ".join(map(_escape, row)) + " |" for row in rows)


def _escape(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no line breaks."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
