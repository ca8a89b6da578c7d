"""The difference of two proportions that were measured on their own."""

from __future__ import annotations

import math

from wending.assess.stats.proportion import Interval, wilson_of


def difference_of_proportions(
    first: float, first_trials: float, second: float, second_trials: float, confidence: float = 0.95
) -> Interval:
    """Interval of second - first, from the Wilson intervals of both; trials need not be whole numbers.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of
    eleven methods", Statistics in Medicine 17 (1998), 873-890, method 10: it keeps its coverage where
    proportions are near 0 or 1.
    """
    before = wilson_of(first, first_trials, confidence)
    after = wilson_of(second, second_trials, confidence)
    change = second - first
    return Interval(
        change - math.hypot(second - after.low, before.high - first),
        change + math.hypot(after.high - second, first - before.low),
    )
