"""Whether a series rises: the Theil-Sen slope with its interval, and the Mann-Kendall test.

H. Theil (1950); P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63
(1968), 1379-1389. M. G. Kendall, "Rank correlation methods" (1975). Memory and latency follow themselves
from one moment to the next, which makes plain Mann-Kendall see trends where there are none: its variance
is widened by the correlation of what remains beside the slope, after S. Yue and C. Wang, "The Mann-Kendall
test modified by effective sample size", Water Resources Management 18 (2004), 201-218.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

MIN_POINTS = 10
"""Below this the test's normal approximation does not hold."""


@dataclass(frozen=True, slots=True)
class Trend:
    """`slope` per unit of x with the interval `low` .. `high` (95 %); `p`: two-sided, of no trend at all."""

    count: int
    slope: float
    low: float
    high: float
    p: float


def trend(x: Sequence[float], y: Sequence[float]) -> Trend | None:
    """None for fewer than ``MIN_POINTS`` points. x: (n,) rising, y: (n,); takes n² memory.

    Raises ValueError where the lengths differ.
    """
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} values and y has {len(y)}")
    n = len(x)
    if n < MIN_POINTS:
        return None
    times, values = np.asarray(x, float), np.asarray(y, float)
    first, second = np.triu_indices(n, 1)
    rises, spans = values[second] - values[first], times[second] - times[first]
    slopes = np.sort(rises[spans > 0] / spans[spans > 0])
    if not slopes.size:
        return None
    slope = float(np.median(slopes))
    score = float(np.sign(rises).sum())
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    variance *= _inflation(values - slope * times)
    if variance <= 0:
        return Trend(n, slope, slope, slope, 1.0)
    deviation = math.sqrt(variance)
    z = max(abs(score) - 1, 0) / deviation
    half = NormalDist().inv_cdf(0.975) * deviation
    low = slopes[max(int((slopes.size - half) / 2), 0)]
    high = slopes[min(math.ceil((slopes.size + half) / 2), slopes.size - 1)]
    return Trend(n, slope, float(low), float(high), math.erfc(z / math.sqrt(2)))


def _inflation(remains: np.ndarray) -> float:
    """By how much correlation widens the variance of a mean: 1 + 2 sum((1 - k/n) r_k), never below 1.

    Lags k are taken up to the first that is not correlated positively, as in C. J. Geyer, "Practical Markov
    chain Monte Carlo", Statistical Science 7 (1992), 473-483. The first lag alone does not tell: noise of
    each moment on top of a slow wandering makes it small, however long the wandering lasts.
    """
    centred = remains - remains.mean()
    n = len(centred)
    correlation = np.correlate(centred, centred, "full")[n - 1 :]
    if correlation[0] <= 0:
        return 1.0
    correlation = correlation / correlation[0]
    lags = np.arange(1, n)
    ended = np.flatnonzero(correlation[1:] <= 0)
    last = ended[0] if ended.size else n - 1
    return float(1 + 2 * ((1 - lags / n) * correlation[1:])[:last].sum())
