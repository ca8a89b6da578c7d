"""The single levels of the search for the capacity as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

FIGURES = (
    "requests", "errors", "valid", "seconds", "ttft_s", "tokens_per_s", "worst", "total_tokens_per_s",
    "answer_s", "steady", "decided_early", "send_lag_s", "loop_lag_s", "confirmation",
)  # fmt: skip
QUANTILES = {"ttft_s": ("p50", "p95"), "tokens_per_s": ("p5", "p50", "p95")}
COLUMNS = (
    "request_type", "concurrency", "outcome", "missed", *FIGURES,
    *(
        f"{key}_{name}{part}"
        for key, names in QUANTILES.items() for name in names for part in ("", "_low", "_high")
    ),
    "reason", "unsteady", "measured_again",
)  # fmt: skip


def render_levels_csv(report: Mapping[str, Any]) -> str:
    """One line for each level, in the order in which they were measured, those that the generator could not
    drive last; reasons in English. Names and units as in report.json."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for result in report["performance"]:
        for level in result["levels"]:
            writer.writerow({"request_type": result["request_type"], **_row(level)})
        for level in result["invalid_levels"]:
            known = {key: level[key] for key in ("concurrency", "send_lag_s", "loop_lag_s", "reason")}
            writer.writerow({"request_type": result["request_type"], "outcome": "invalid", **known})
    return out.getvalue()


def _row(level: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "concurrency": level["concurrency"],
        "outcome": "held" if level["held"] else "failed",
        "missed": " ".join(level["missed"]),
        "reason": level["reason"],
        **{key: level[key] for key in FIGURES},
        **{key: words["en"] for key in ("unsteady", "measured_again") if (words := level[key])},
        **dict(_quantiles(level)),
    }


def _quantiles(level: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    for key, names in QUANTILES.items():
        found = level["distributions"][key]
        for name in names:
            low, high = found[f"{name}_bounds"] or (None, None)
            yield from zip(
                (f"{key}_{name}", f"{key}_{name}_low", f"{key}_{name}_high"),
                (found[name], low, high),
                strict=True,
            )
