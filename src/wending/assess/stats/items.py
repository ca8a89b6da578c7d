"""A pass rate whose runs are repeats of items: repeats of one item are not independent of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wending.assess.stats.beta import student_t_quantile
from wending.assess.stats.proportion import Interval, wilson_of


@dataclass(frozen=True, slots=True)
class RateOverItems:
    """`passed` of `runs` runs of `items` items; the interval is that of the rate over all such items."""

    passed: int
    runs: int
    items: int
    interval: Interval | None
    effective_runs: float | None
    """So many independent runs would tell as much."""


def rate_over_items(outcomes: Sequence[Sequence[bool]], confidence: float = 0.95) -> RateOverItems:
    """Of each item whether each of its repeats passed; items without repeats are left out.

    Wilson's interval at the effective number of runs: the runs divided by the design effect, which compares
    the variance of the mean over items with that of as many independent runs; and scaled by Student's t,
    because the variance is estimated from few items. Source: E. L. Korn and B. I. Graubard, "Confidence
    intervals for proportions with small expected number of positive counts estimated from survey data",
    Survey Methodology 24 (1998), 193-201, who put it into the Clopper-Pearson interval. Where all runs agree
    nothing is known of the variance between items: then each item counts once.
    """
    asked = [item for item in outcomes if item]
    runs, items = sum(map(len, asked)), len(asked)
    passed = sum(map(sum, asked))
    if not runs:
        return RateOverItems(0, 0, 0, None, None)
    effective = _effective_runs(asked, passed, runs, confidence)
    interval = wilson_of(passed / runs, effective, confidence)
    return RateOverItems(passed, runs, items, interval, effective)


def _effective_runs(asked: Sequence[Sequence[bool]], passed: int, runs: int, confidence: float) -> float:
    items, rate = len(asked), passed / runs
    if runs == items:  # no repeats: the runs are independent
        return float(runs)
    if passed in (0, runs) or items < 2:
        return float(items)
    # Linearised variance of a ratio of sums over items (clusters of unequal size).
    residuals = [sum(item) - rate * len(item) for item in asked]
    variance = items / (items - 1) * sum(value * value for value in residuals) / runs**2
    if variance == 0:
        return float(runs)
    probability = (1 + confidence) / 2
    few = student_t_quantile(probability, runs - 1) / student_t_quantile(probability, items - 1)
    effective = rate * (1 - rate) / variance * few**2
    return min(max(effective, 1.0), float(runs))
