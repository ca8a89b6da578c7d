"""By what factor the values of one sample are larger than those of another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

from wending.assess.stats.proportion import Interval


@dataclass(frozen=True, slots=True)
class Ratio:
    """`estimate`: the factor; the interval is None where the two samples are too small for one."""

    estimate: float
    interval: Interval | None


def ratio(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Ratio | None:
    """The median of all quotients of a value of `second` by one of `first`, and two of these quotients as the
    limits of its interval; None where a sample is empty or holds a value that is not above zero.

    That is the Hodges-Lehmann estimate of a shift, on logarithms, with the interval that belongs to the
    Wilcoxon-Mann-Whitney test, exact whatever the distribution: J. L. Hodges and E. L. Lehmann, "Estimates of
    location based on rank tests", Annals of Mathematical Statistics 34 (1963), 598-611; M. Hollander, D. A.
    Wolfe and E. Chicken, "Nonparametric Statistical Methods" (3rd ed., 2013), sections 4.2 and 4.3. It
    excludes 1 just where the test does.
    """
    if not first or not second or min(*first, *second) <= 0:
        return None
    quotients = sorted(after / before for before in first for after in second)
    estimate = median(quotients)
    ways = rank_sum_ways(len(first), len(second))
    most = (1 - confidence) / 2 * math.comb(len(first) + len(second), len(first))
    # So many quotients at each end lie outside: no statistic below that is likelier than the tail.
    outside = sum(below <= most for below in accumulate(ways))
    if not outside:
        return Ratio(estimate, None)
    return Ratio(estimate, Interval(quotients[outside - 1], quotients[-outside]))


def rank_sum_ways(first: int, second: int) -> list[int]:
    """In how many of all orders of two samples of these sizes the Mann-Whitney statistic is 0, 1, 2, ...: the
    coefficients of the Gaussian binomial, a product of (1 - q^(second+i)) / (1 - q^i) over i = 1 .. first."""
    ways = [1] + [0] * (first * second)
    for i in range(1, first + 1):
        for degree in range(len(ways) - 1, second + i - 1, -1):
            ways[degree] -= ways[degree - second - i]
        for degree in range(i, len(ways)):
            ways[degree] += ways[degree - i]
    return ways
