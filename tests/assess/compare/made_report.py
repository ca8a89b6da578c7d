"""A report.json with little more than what is compared."""

from __future__ import annotations

from typing import Any

PASSES = {str(number): [True] * 5 for number in range(20)}
FEWER = {str(number): [True] * (3 + number % 2) + [False] * (2 - number % 2) for number in range(20)}
"""Of PASSES: 70 %."""
TTFT = [0.1, 0.101, 0.102, 0.099, 0.098, 0.103, 0.104, 0.097]
WORDS = {"en": "Tea", "zh": "茶"}
FAULTS = {str(number): True for number in range(12)}


def made_report(
    passes: dict[str, list[bool]] = PASSES,
    *,
    ttft: list[float] = TTFT,
    concurrency: int | None = 8,
    changed: int | None = 0,
    values_right: int = 60,
    faults: dict[str, bool | None] | None = FAULTS,
    failed: int = 0,
    complete: bool = True,
) -> dict[str, Any]:
    """`changed`: of 40 items; `values_right`: of 100 runs of 20 items with a schema in the request."""
    runs: list[dict[str, Any]] = [
        {
            "item": item,
            "pass": one,
            "error": None,
            "ttft_s": 0.1,
            "tokens_per_s": None,
            "checks": [{"name": "json_values", "pass": one}],
        }
        for item, several in passes.items()
        for one in several
    ]
    for run in runs[:failed]:
        run["error"] = "HTTP 503: overloaded"
    rates: dict[str, Any] = {
        name: {"k": 100, "n": 100, "low": 0.9, "high": 1.0} for name in ("parses", "schema", "repairable")
    }
    rates["values"] = {"k": values_right, "n": 100, "low": 0.0, "high": 1.0}
    scenario = {
        "id": "s",
        "title": {"en": "Sums", "zh": "加法"},
        "runs": runs,
        "json_rates": rates,
        "response_format": {"json_rates": rates},
    }
    performance = {
        "request_type": "short",
        "ttft_s": {"p50": sorted(ttft)[len(ttft) // 2] if ttft else None, "n": len(ttft)},
        "tokens_per_s": {"p50": 50.0, "n": 8},
        "max_concurrency": concurrency,
        "values": {"ttft_s": ttft, "tokens_per_s": [50.0 + number for number in range(8)]},
    }
    rows = [{"id": name, "title": WORDS, "ok": ok} for name, ok in (faults or {}).items()]
    return {
        "schema": 1,
        "complete": complete,
        "target": {"model": "m"},
        "scenarios": [scenario],
        "agreement": {
            "conditions": [{"condition": "loaded", "title": WORDS}],
            "changed_under_load": None if changed is None else {"k": changed, "n": 40},
        },
        "recovery": None if faults is None else {"rows": rows},
        "performance": [performance],
    }
