"""A rate as it stands in report.json: k of n with its interval."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from wending.assess.stats import Interval, rate_over_items, wilson


def rate(k: int, n: int) -> dict[str, Any]:
    """k of n with the 95 % Wilson interval, which is null for n = 0."""
    return with_interval(k, n, wilson(k, n))


def level_rates(requests: int, errors: int, valid: int) -> dict[str, dict[str, Any]]:
    """Of a level of load: valid answers of all attempts (goodput) and of the answers; failed requests."""
    return {
        "goodput": rate(valid, requests),
        "error_rate": rate(errors, requests),
        "valid_rate": rate(valid, requests - errors),
    }


def rate_over(items: Collection[Sequence[bool]]) -> dict[str, Any]:
    """Of each item whether each of its repeats passed; the interval is that over items, because repeats of
    one item are not independent."""
    found = rate_over_items(list(items))
    return with_interval(found.passed, found.runs, found.interval)


def with_interval(k: int, n: int, interval: Interval | None) -> dict[str, Any]:
    """k of n with an interval that was computed elsewhere."""
    low, high = ends(interval) or (None, None)
    return {"k": k, "n": n, "low": low, "high": high}


def ends(interval: Interval | None) -> list[float] | None:
    """[low, high]."""
    return None if interval is None else [round(interval.low, 5), round(interval.high, 5)]
