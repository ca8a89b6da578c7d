"""Quantiles of a sample and what is known of those of its population; nothing that the count cannot carry."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wending.assess.stats.beta import binomial_cdf
from wending.assess.stats.proportion import Interval


def median(values: Sequence[float]) -> float | None:
    """The median; None for no values."""
    return _interpolated(sorted(values), 0.5) if values else None


def min_count(probability: float) -> int:
    """The fewest values that can carry a quantile: one of them must be expected to lie beyond it.

    20 for the 5 % and 95 % quantiles, 2 for the median, 100 for the 99 % quantile.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie between 0 and 1, got {probability}")
    tail = min(probability, 1 - probability)
    return math.ceil(1 / tail - 1e-9)


def quantile(values: Sequence[float], probability: float) -> float | None:
    """Quantile, interpolated between order statistics; None for fewer than ``min_count`` values.

    Definition 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American
    Statistician 50 (1996), 361-365; the default of numpy and R.
    """
    if len(values) < min_count(probability):
        return None
    return _interpolated(sorted(values), probability)


def quantile_bounds(values: Sequence[float], probability: float, confidence: float = 0.95) -> Interval | None:
    """Two order statistics between which the population's quantile lies with at least this confidence,
    whatever the distribution; None where the sample has none that are far enough out.

    The number of values below the quantile is binomial, so the chance that it lies between the i-th and the
    j-th smallest is a difference of two binomial probabilities: H. A. David and H. N. Nagaraja, "Order
    Statistics" (3rd ed., 2003), section 7.1.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie between 0 and 1, got {probability}")
    ordered, n, tail = sorted(values), len(values), (1 - confidence) / 2
    # The largest i with P(fewer than i values below) <= tail, the smallest j with P(j or more below) <= tail.
    low = max((i for i in range(1, n + 1) if binomial_cdf(i - 1, n, probability) <= tail), default=0)
    high = min((j for j in range(1, n + 1) if 1 - binomial_cdf(j - 1, n, probability) <= tail), default=n + 1)
    if low < 1 or high > n:
        return None
    return Interval(ordered[low - 1], ordered[high - 1])


def _interpolated(ordered: Sequence[float], probability: float) -> float:
    position = (len(ordered) - 1) * probability
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
