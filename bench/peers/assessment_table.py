"""Reports of several servers beside each other, as one Markdown table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from wending.assess.report import sentences
from wending.assess.report.numbers import (
    NONE,
    interval_percent,
    milliseconds,
    per_second,
    percent,
    rate_percent,
)
from wending.assess.report.texts import pair

Report = Mapping[str, Any]
Cell = Callable[[Report], str]


def assessment_table(titles: Sequence[str], reports: Sequence[Report]) -> str:
    """A row for each figure that any of the reports has; a dash where one has it not."""
    lines = ["| | " + " | ".join(titles) + " |", "|---|" + "---|" * len(titles)]
    for name, cell in _rows(reports):
        lines.append(f"| {name} | " + " | ".join(_cell(cell, report) for report in reports) + " |")
    return "\n".join(lines)


def _cell(cell: Cell, report: Report) -> str:
    try:
        return " ".join(cell(report).replace("|", "\\|").split())
    except (KeyError, StopIteration, TypeError):  # this report did not measure it
        return NONE


def _rows(reports: Sequence[Report]) -> Iterator[tuple[str, Cell]]:
    yield "Verdict", lambda report: str(report["verdict"]["title"]["en"])
    for scenario in _named(reports, lambda report: report["scenarios"], "id"):
        yield from _of_scenario(scenario["id"], scenario)
    for condition in _named(reports, lambda report: report["agreement"]["conditions"], "condition"):
        yield _of_agreement(condition["condition"], condition["title"]["en"])
    yield "Answers changed by load", _changed
    for result in _named(reports, lambda report: report["performance"], "request_type"):
        yield from _of_performance(result["request_type"])
    for row in _named(reports, _faults, "id"):
        yield _of_recovery(row["id"], row["title"]["en"])


def _faults(report: Report) -> list[Report]:
    """Those that were made: an endpoint that was started by somebody else is not killed."""
    return [row for row in (report["recovery"] or {"rows": []})["rows"] if row["ok"] is not None]


def _of_scenario(scenario_id: str, scenario: Report) -> Iterator[tuple[str, Cell]]:
    def found(report: Report) -> Report:
        return _one(report["scenarios"], "id", scenario_id)

    yield scenario["title"]["en"], lambda report: _rate(found(report)["pass_rate"])
    if scenario["json_rates"] is None:
        return

    def with_schema(name: str) -> Cell:
        def cell(report: Report) -> str:
            conditions = {
                kind: (passed, rates) for kind, passed, rates in sentences.json_conditions(found(report))
            }
            passed, rates = conditions["json_with"]
            return _rate({"passes": passed, **rates}[name])

        return cell

    for name in ("passes", "parses", "schema", "values"):
        yield f"JSON with response_format: {pair(f'json_{name}')['en']}", with_schema(name)
    yield (
        "JSON with response_format: not answered",
        lambda report: _rate(found(report)["response_format"]["unanswered"]),
    )


def _of_agreement(condition: str, title: str) -> tuple[str, Cell]:
    def cell(report: Report) -> str:
        found = _one(report["agreement"]["conditions"], "condition", condition)
        return f"{percent(found['tar_raw'])}, {percent(found['tar_answer'])} ({found['items']} items)"

    return f"Same text, same answer: {title}", cell


def _changed(report: Report) -> str:
    return _rate(report["agreement"]["changed_under_load"])


def _of_performance(kind: str) -> Iterator[tuple[str, Cell]]:
    def found(report: Report) -> Report:
        return _one(report["performance"], "request_type", kind)

    def ttft(report: Report) -> str:
        values = found(report)["ttft_s"]
        return f"{milliseconds(values['p50'])}, {milliseconds(values['p95'])} (n = {values['n']})"

    yield f"First token, {kind}: median, p95", ttft
    yield f"tok/s of one stream, {kind}", lambda report: per_second(found(report)["tokens_per_s"]["p50"])
    yield f"Most at once, {kind}", lambda report: str(sentences.concurrency(found(report))["en"])


def _of_recovery(row_id: str, title: str) -> tuple[str, Cell]:
    def cell(report: Report) -> str:
        row = _one(report["recovery"]["rows"], "id", row_id)
        mark = {True: "✓", False: "✕", None: NONE}[row["ok"]]
        back = "" if row["recovered_s"] is None else f"; good answer after {milliseconds(row['recovered_s'])}"
        other = ", another than before" if row["canary_equal"] is False else ""
        return f"{mark} {row['happened']['en']}{back}{other}"

    return title, cell


def _rate(rate: Report) -> str:
    return f"{rate['k']} / {rate['n']}: {rate_percent(rate)} ({interval_percent(rate)})"


def _named(reports: Sequence[Report], of: Callable[[Report], Sequence[Report]], key: str) -> list[Report]:
    """The entries of all reports, each name once."""
    found: dict[str, Report] = {}
    for report in reports:
        for entry in of(report):
            found.setdefault(entry[key], entry)
    return list(found.values())


def _one(entries: Sequence[Report], key: str, value: str) -> Report:
    return next(entry for entry in entries if entry[key] == value)
