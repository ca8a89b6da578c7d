"""A distribution as it stands in report.json: quantiles with their bounds, and the count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wending.assess.rate import ends
from wending.assess.run_record import rounded
from wending.assess.stats import median, quantile, quantile_bounds

QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}


def distribution(values: Sequence[float], *names: str, complete: bool = True) -> dict[str, Any]:
    """Of each quantile in `names` (keys of QUANTILES) its value, and as `p50_bounds` ... the pair of order
    statistics between which that of all such values lies with 95 % confidence; each null where the count
    does not carry it. `n` values.

    `complete` is false for what was broken off because of what had been seen: then nothing has bounds.
    """
    found: dict[str, Any] = {}
    for name in names:
        probability = QUANTILES[name]
        found[name] = rounded(median(values) if name == "p50" else quantile(values, probability))
        found[f"{name}_bounds"] = ends(quantile_bounds(values, probability)) if complete else None
    return {**found, "n": len(values)}
