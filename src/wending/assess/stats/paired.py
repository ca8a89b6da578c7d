"""The change between two conditions under which the same items were asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wending.assess.stats.beta import student_t_quantile
from wending.assess.stats.proportion import Interval

_ROUNDING = 1e-18
"""A variance that equal differences of shares may seem to have: 1 - 0.8 is not quite 0.6 - 0.4."""


@dataclass(frozen=True, slots=True)
class Change:
    """Of the mean over the items that both have: second minus first, with its interval."""

    items: int
    difference: float
    interval: Interval | None
    worse: int
    better: int
    """How many items have a lower and a higher mean in the second."""


def paired_change(
    first: Mapping[str, Sequence[float]], second: Mapping[str, Sequence[float]], confidence: float = 0.95
) -> Change | None:
    """Values by item, one for each repeat. None where no item is in both.

    Student's t over the differences of the items' means (paired t-test): what items differ in by themselves
    drops out. Where all differences are equal they leave no doubt that could be estimated: no interval.
    """
    common = [item for item in first if first[item] and second.get(item)]
    differences = [_mean(second[item]) - _mean(first[item]) for item in common]
    n = len(differences)
    if not n:
        return None
    mean = _mean(differences)
    worse, better = sum(one < 0 for one in differences), sum(one > 0 for one in differences)
    variance = sum((one - mean) ** 2 for one in differences) / (n - 1) if n > 1 else 0.0
    if variance < _ROUNDING:
        return Change(n, mean, None, worse, better)
    reach = student_t_quantile((1 + confidence) / 2, n - 1) * math.sqrt(variance / n)
    return Change(n, mean, Interval(mean - reach, mean + reach), worse, better)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
