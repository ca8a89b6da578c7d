"""Statistics for reports: nothing here prints a figure that its count cannot carry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """A confidence interval, low ≤ high."""

    low: float
    high: float


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Interval | None:
    """Wilson score interval for a proportion; None when there was no trial.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927), 209-212. It keeps its coverage for few trials and for proportions near 0 and 1, where the usual p
    ± z·sqrt(p(1-p)/n) collapses to width zero.

    Raises ValueError unless 0 ≤ successes ≤ trials and 0 < confidence < 1.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes must lie in 0..trials, got {successes} of {trials}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    if trials == 0:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    proportion = successes / trials
    scale = 1 + z * z / trials
    center = (proportion + z * z / (2 * trials)) / scale
    half_width = z / scale * math.sqrt(proportion * (1 - proportion) / trials + z * z / (4 * trials * trials))
    # At the ends the formula is exactly 0 or 1; rounding must not push it off.
    low = 0.0 if successes == 0 else max(0.0, center - half_width)
    high = 1.0 if successes == trials else min(1.0, center + half_width)
    return Interval(low, high)


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


def _interpolated(ordered: Sequence[float], probability: float) -> float:
    position = (len(ordered) - 1) * probability
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
