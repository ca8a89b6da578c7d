"""The runs as a table for a spreadsheet: what was asked, what came of it, how long it took."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

COLUMNS = (
    "scenario", "item", "language", "repeat", "seed", "pass", "problems", "finish_reason", "tokens", "ttft_s",
    "tokens_per_s", "error",
)  # fmt: skip
# A spreadsheet would compute what begins like a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_csv(report: Mapping[str, Any]) -> str:
    """One line for each run, a head before them; comma-separated as in RFC 4180."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    shown = _problems(report)
    for scenario in report["scenarios"]:
        languages = {item["id"]: item["language"] for item in scenario["items"]}
        for run in scenario["runs"]:
            row = run | {
                "scenario": scenario["id"],
                "language": languages[run["item"]],
                "problems": " ".join(shown[scenario["id"], run["item"], run["repeat"]]),
                "error": _text(run["error"] or ""),
            }
            writer.writerow(row)
    return out.getvalue()


def _problems(report: Mapping[str, Any]) -> Mapping[tuple[str, str, int], list[str]]:
    """The stability problems that each run shows, by scenario, item and repeat."""
    shown: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for problem in report["stability_problems"]:
        for place in problem["evidence"]:
            shown[problem["scenario"], place["item"], place["repeat"]].append(problem["type"])
    return shown


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value
