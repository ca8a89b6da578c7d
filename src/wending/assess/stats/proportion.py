"""Intervals for a proportion of independent trials."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

from wending.assess.stats.beta import beta_quantile


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
    return wilson_of(successes / trials, trials, confidence) if trials else None


def wilson_of(proportion: float, trials: float, confidence: float = 0.95) -> Interval:
    """The same for a proportion of a number of trials that need not be whole: an effective sample size."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    scale = 1 + z * z / trials
    center = (proportion + z * z / (2 * trials)) / scale
    half_width = z / scale * math.sqrt(proportion * (1 - proportion) / trials + z * z / (4 * trials * trials))
    # At the ends the formula is exactly 0 or 1; rounding must not push it off.
    low = 0.0 if proportion == 0 else max(0.0, center - half_width)
    high = 1.0 if proportion == 1 else min(1.0, center + half_width)
    return Interval(low, high)


def exact(successes: float, trials: float, confidence: float = 0.95) -> Interval | None:
    """Clopper-Pearson interval, which never covers less than it says; None when there was no trial. Numbers
    that are not whole stand for an effective sample size.

    Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case
    of the binomial", Biometrika 26 (1934), 404-413, as quantiles of beta distributions.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes must lie in 0..trials, got {successes} of {trials}")
    if trials == 0:
        return None
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else beta_quantile(tail, successes, trials - successes + 1)
    high = 1.0 if successes == trials else beta_quantile(1 - tail, successes + 1, trials - successes)
    return Interval(low, high)


def most_without_failure(trials: int, confidence: float = 0.95) -> float | None:
    """The largest failure rate that so many trials without a failure leave possible, about 3/n at 95 % ("rule
    of three"): 1 - (1 - confidence)^(1/n). None for no trial."""
    return None if trials == 0 else 1 - (1 - confidence) ** (1 / trials)
