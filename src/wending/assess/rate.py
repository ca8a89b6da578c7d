"""A rate as it stands in report.json: k of n with its interval."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from wending.assess.run_record import rounded
from wending.assess.stats import Interval, rate_over_items, wilson


def rate(k: int, n: int) -> dict[str, Any]:
    """k of n with the 95 % Wilson interval, which is null for n = 0."""
    return with_interval(k, n, wilson(k, n))


def rate_over(items: Collection[Sequence[bool]]) -> dict[str, Any]:
    """Of each item whether each of its repeats passed; the interval is that over items, because repeats of
    one item are not independent."""
    found = rate_over_items(list(items))
    return with_interval(found.passed, found.runs, found.interval)


def with_interval(k: int, n: int, interval: Interval | None) -> dict[str, Any]:
    """k of n with an interval that was computed elsewhere."""
    low, high = (None, None) if interval is None else map(rounded, interval)
    return {"k": k, "n": n, "low": low, "high": high}
