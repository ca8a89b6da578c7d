"""Figures over items that were repeated: repeats of one item are not independent of each other."""

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
    # Linearised variance of a ratio of sums over items (clusters of unequal size).
    residuals = [sum(item) - passed / runs * len(item) for item in asked]
    variance = _variance(residuals) * items / runs**2
    effective = _effective_trials(passed / runs, variance, runs, items, confidence)
    interval = wilson_of(passed / runs, effective, confidence)
    return RateOverItems(passed, runs, items, interval, effective)


@dataclass(frozen=True, slots=True)
class MeanOverItems:
    """Of a share that each of `items` items has; the interval is that of the mean over all such items."""

    mean: float
    items: int
    interval: Interval


def mean_over_items(shares: Sequence[float], trials: float, confidence: float = 0.95) -> MeanOverItems | None:
    """The mean of one share (0 to 1) of each item, with the interval of `rate_over_items`; None of no item.

    `trials`: how many groups of repeats the shares rest on. A chance of k repeats out of n of each item rests
    on n / k for each; as many as items if each item is one yes or no.
    """
    items = len(shares)
    if not items:
        return None
    mean = sum(shares) / items
    variance = _variance([share - mean for share in shares]) / items
    effective = _effective_trials(mean, variance, trials, items, confidence)
    return MeanOverItems(mean, items, wilson_of(mean, effective, confidence))


def _variance(residuals: Sequence[float]) -> float:
    return sum(value * value for value in residuals) / max(len(residuals) - 1, 1)


def _effective_trials(rate: float, variance: float, trials: float, items: int, confidence: float) -> float:
    """So many independent trials would give the rate the same variance; no more than there were."""
    if trials == items:  # no repeats: the trials are independent
        return float(trials)
    if rate in (0, 1) or items < 2:
        return float(items)
    if variance == 0:
        return float(trials)
    probability = (1 + confidence) / 2
    few = student_t_quantile(probability, trials - 1) / student_t_quantile(probability, items - 1)
    return min(max(rate * (1 - rate) / variance * few**2, 1.0), float(trials))
