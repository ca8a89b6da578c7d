"""The report in short as Markdown, in one language: report.md in English, report.zh.md in Chinese."""

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
from wending.assess.report.texts import Pair, pair
from wending.assess.wording import Language

Report = Mapping[str, Any]

MOST_EVIDENCE = 8
"""Places named for a problem; report.json has all."""


def render_markdown(report: Report, language: Language) -> str:
    return "\n".join(_Page(report, language).lines()) + "\n"


class _Page:
    """Every section gives its lines."""

    def __init__(self, report: Report, language: Language) -> None:
        self._report, self._language = report, language

    def lines(self) -> Iterator[str]:
        yield f"# {_escape(self._in(sentences.title(self._report)))}"
        yield ""
        target, took = self._in(sentences.target(self._report)), duration(self._report["duration_s"])
        took_words = self._word("took", duration=took)
        yield f"{_escape(target)}; {self._report['started']}, {took_words}"
        yield ""
        if self._report["incomplete_reason"] is not None:
            reason = self._word(
                "incomplete_text", reason=sentences.in_both(self._report, "incomplete_reason")
            )
            yield f"**{self._word('incomplete')}.** {_escape(reason)}"
            yield ""
        yield from self._verdict()
        yield _escape(self._in(sentences.summary(self._report)))
        yield from (f"\n> {_escape(self._in(note))}" for note in self._report["notes"])
        yield from self._scenarios()
        yield from self._json_rates()
        yield from self._agreement()
        yield from self._retention()
        yield from self._context()
        yield from self._performance()
        yield from self._resources()
        yield from self._recovery()
        yield from self._problems()
        yield from self._heading("settings")
        yield from _table(
            ("", ""), [(self._in(label), value) for label, value in settings_rows(self._report)]
        )

    def _scenarios(self) -> Iterator[str]:
        yield from self._heading("scenarios")
        yield from _table(
            self._words(
                "scenario", "passed", "pass_rate", "interval", "pass_hat", "same_text", "same_answer"
            ),
            [
                (
                    self._in(scenario["title"]),
                    f"{scenario['pass_rate']['k']} / {scenario['pass_rate']['n']}",
                    rate_percent(scenario["pass_rate"]),
                    interval_percent(scenario["pass_rate"]),
                    _all_of_k(scenario),
                    _share(scenario["agreement"], "tar_raw"),
                    self._same_answer(scenario["agreement"]),
                )
                for scenario in self._report["scenarios"]
            ],
        )
        yield from self._every_k()

    def _every_k(self) -> Iterator[str]:
        rows = [
            (
                self._in(scenario["title"]),
                str(found["k"]),
                *_of_k(found),
                *(("–", "–") if some is None else _of_k(some)),
                str(found["items"]),
            )
            for scenario in self._report["scenarios"]
            for found, some in sentences.every_k(scenario)
        ]
        if rows:
            yield from self._heading("every_k", level=3)
            yield _escape(self._word("every_k_note"))
            yield ""
            head = ["", "k", *self._words("pass_hat", "interval", "pass_at", "interval", "items")]
            yield from _table(head, rows)

    def _same_answer(self, found: Mapping[str, Any]) -> str:
        interval = between(found.get("tar_answer_interval"), percent)
        return _with(self._in(sentences.same_answer(found)), interval)

    def _verdict(self) -> Iterator[str]:
        verdict = self._report["verdict"]
        yield f"**{_escape(self._in(verdict['title']))}**"
        yield ""
        yield from _table(
            self._words("rule", "outcome", "finding"),
            [
                (self._in(rule["demand"]), self._word(rule["outcome"]), self._in(rule["finding"]))
                for rule in verdict["rules"]
            ],
        )
        yield ""

    def _agreement(self) -> Iterator[str]:
        agreement = self._report["agreement"]
        if not agreement["conditions"]:
            return
        yield from self._heading("agreement")
        yield from _table(
            self._words("condition", "items", "same_text", "same_answer", "pairwise", "diverge_at"),
            [
                (
                    self._in(row["title"]),
                    str(row["items"]),
                    _share(row, "tar_raw"),
                    self._same_answer(row),
                    _share(row, "pairwise"),
                    _quantile(row, "diverge_at", count),
                )
                for row in agreement["conditions"]
            ],
        )
        changed = agreement["changed_under_load"]
        if changed is not None:
            k, n = changed["k"], changed["n"]
            yield ""
            yield _escape(self._word("changed_under_load", k=k, n=n, interval=interval_percent(changed)))
        if parted := agreement.get("parted"):
            names = ", ".join(f"{row['scenario']}/{row['item']}" for row in parted)
            yield ""
            yield _escape(f"{self._word('parted', n=len(parted))}: {names}")

    def _retention(self) -> Iterator[str]:
        for scenario in self._report["scenarios"]:
            if not scenario["retention"]:
                continue
            yield from self._heading("retention")
            yield f"**{_escape(self._in(scenario['title']))}**"
            yield ""
            yield from _table(
                [
                    *self._words("condition", "turn_number"),
                    "k / n",
                    *self._words("share", "interval", "conversations", "change"),
                ],
                [
                    (
                        self._in(curve["title"]),
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

    def _context(self) -> Iterator[str]:
        context = self._report["context"]
        if context is None or not context["probes"]:
            return
        yield from self._heading("context")
        yield _escape(self._in(context["summary"]))
        yield ""
        yield from _table(
            self._words("distance", "recalled", "share", "interval"),
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

    def _recovery(self) -> Iterator[str]:
        recovery, models = self._report["recovery"], self._report.get("model_recovery", ())
        if not models and (recovery is None or not recovery["rows"]):
            return
        yield from self._heading("recovery")
        yield from _table(
            self._words("trial", "expected", "happened", "recovered_often", "interval"),
            [
                (
                    self._in(row["title"]),
                    self._in(row["expected"]),
                    self._in(row["happened"]),
                    f"{row['recovered']['k']} / {row['recovered']['n']}",
                    interval_percent(row["recovered"]),
                )
                for row in models
            ],
        )
        if recovery is None or not recovery["rows"]:
            return
        yield ""
        marks = {True: "✓", False: "✕", None: "–"}
        yield from _table(
            ["", *self._words("fault", "expected", "happened", "recovered", "same_as_before")],
            [
                (
                    marks[row["ok"]],
                    self._in(row["title"]),
                    self._in(row["expected"]),
                    self._in(row["happened"]),
                    milliseconds(row["recovered_s"]),
                    marks[row["canary_equal"]],
                )
                for row in recovery["rows"]
            ],
        )

    def _json_rates(self) -> Iterator[str]:
        for scenario in self._report["scenarios"]:
            if scenario["json_rates"] is None:
                continue
            yield from self._heading("json_rates")
            yield f"**{_escape(self._in(scenario['title']))}**"
            yield ""
            rows = []
            for condition, pass_rate, rates in sentences.json_conditions(scenario):
                named = {"passes": pass_rate, **rates}
                if condition == "json_with":
                    named["unanswered"] = scenario["response_format"]["unanswered"]
                rows += [
                    (
                        self._word(condition),
                        self._word(f"json_{name}"),
                        f"{rate['k']} / {rate['n']}",
                        rate_percent(rate),
                        interval_percent(rate),
                    )
                    for name, rate in named.items()
                ]
            yield from _table(["", "", "k / n", *self._words("share", "interval")], rows)
            for note in sentences.response_format(
                scenario, self._report["settings"]["response_format_repeats"]
            ):
                yield f"\n{_escape(self._in(note))}"

    def _performance(self) -> Iterator[str]:
        results = sentences.measured(self._report["performance"])
        if not results:
            return
        yield from self._heading("performance")
        yield _escape(self._in(sentences.objective(self._report)))
        yield ""
        yield from _table(
            self._words(
                "request_type",
                "level_ttft_p50",
                "level_ttft_p95",
                "level_speed_p50",
                "level_speed_p5",
                "tokens",
                "requests",
                "max_concurrency",
                "why",
            ),
            [
                (
                    self._word(result["request_type"]),
                    _quantile(result["ttft_s"], "p50", milliseconds),
                    _quantile(result["ttft_s"], "p95", milliseconds),
                    _quantile(result["tokens_per_s"], "p50", per_second),
                    _quantile(result["tokens_per_s"], "p5", per_second),
                    count(result["tokens"]["p50"]),
                    str(result["ttft_s"]["n"]),
                    self._in(sentences.concurrency(result)),
                    self._in(sentences.stop_reason(result, self._report["settings"]["concurrency_cap"])),
                )
                for result in results
            ],
        )
        if (words := sentences.generator(self._report)) is not None:
            yield ""
            yield _escape(self._in(words))
        for result in results:
            if (words := sentences.goodput(result)) is not None:
                yield ""
                yield _escape(f"{self._word(result['request_type'])}: {self._in(words)}")
        yield from self._levels(results)

    def _levels(self, results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        rows = [(result["request_type"], row) for result in results for row in level_rows(result)]
        if not rows:
            return
        yield from self._heading("levels", level=3)
        yield _escape(self._word("levels_note"))
        yield ""
        titles = [self._word(key) for key in ("request_type", "streams", *COLUMNS, "level_verdict")]
        yield from _table(
            titles,
            [
                (
                    self._word(request_type),
                    str(row.streams),
                    *(_with(self._in(cell.words), cell.interval) for cell in row.cells),
                    "; ".join(self._in(words) for words in (row.verdict, *row.remarks)),
                )
                for request_type, row in rows
            ],
        )

    def _resources(self) -> Iterator[str]:
        yield from self._heading("resources")
        resources = self._report["resources"]
        if resources["peak_memory_bytes"] is None:
            yield _escape(self._word("no_resources", reason=resources["reason"]))
            return
        peak, cpu, wall = (resources[key] for key in ("peak_memory_bytes", "cpu_seconds", "wall_seconds"))
        memory = bytes_size(peak)
        yield self._word("resources_line", memory=memory, cpu=f"{cpu:.1f}", wall=f"{wall:.1f}")

    def _problems(self) -> Iterator[str]:
        yield from self._heading("problems")
        if not self._report["stability_problems"]:
            yield self._word("no_problems", n=len(sentences.all_runs(self._report)))
            return
        titles = {scenario["id"]: self._in(scenario["title"]) for scenario in self._report["scenarios"]}
        yield from _table(
            self._words(
                "problem_type",
                "scenario",
                "severity",
                "frequency",
                "interval",
                "example",
                "evidence",
                "action",
            ),
            [
                (
                    f"{self._in(row['title'])} ({row['type']})",
                    titles.get(row["scenario"], row["scenario"]),
                    self._word(row["severity"]),
                    f"{row['frequency']['k']} / {row['frequency']['n']}",
                    interval_percent(row["frequency"]),
                    self._in(sentences.in_both(row, "example")),
                    ", ".join(
                        f"{place['item']} #{place['repeat']}" for place in row["evidence"][:MOST_EVIDENCE]
                    ),
                    self._in(row["action"]),
                )
                for row in self._report["stability_problems"]
            ],
        )

    def _in(self, words: Pair) -> str:
        return words[self._language]

    def _word(self, key: str, **values: object) -> str:
        return pair(key, **values)[self._language]

    def _words(self, *keys: str) -> list[str]:
        return [self._word(key) for key in keys]

    def _heading(self, key: str, level: int = 2) -> Iterator[str]:
        yield from ("", f"{'#' * level} {self._word(key)}", "")


def _of_k(found: Mapping[str, Any]) -> tuple[str, str]:
    return percent(found["share"]), interval_percent(found)


def _all_of_k(scenario: Mapping[str, Any]) -> str:
    found = sentences.all_of_k(scenario)
    if found is None:
        return NONE
    return f"k = {found['k']}: {percent(found['share'])} ({interval_percent(found)})"


def _share(found: Mapping[str, Any], name: str) -> str:
    return _with(percent(found[name]), between(found.get(f"{name}_interval"), percent))


def _quantile(found: Mapping[str, Any], name: str, text: Callable[[float | None], str]) -> str:
    return _with(text(found[name]), between(found.get(f"{name}_bounds"), text))


def _with(figure: str, interval: str) -> str:
    return f"{figure} ({interval})" if interval else figure


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    yield from ("| " + " | ".join(map(_escape, row)) + " |" for row in rows)


def _escape(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no line breaks."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
