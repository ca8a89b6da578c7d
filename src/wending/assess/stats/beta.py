"""The incomplete beta function, on which exact intervals and Student's t rest."""

from __future__ import annotations

import math

_TINY = 1e-300
_STEPS = 300


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b), 0 <= x <= 1, a and b above 0; to about 1e-12.

    Continued fraction 8.17.22 of the NIST Digital Library of Mathematical Functions, by Lentz's method.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, the other end is near
        return 1 - beta_cdf(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for numerator in (even, odd):
            d = 1 / _away_from_zero(1 + numerator * d)
            c = _away_from_zero(1 + numerator / c)
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return math.exp(log_front) * fraction / a


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x with beta_cdf(x, a, b) = probability, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def binomial_cdf(successes: int, trials: int, probability: float) -> float:
    """The chance of so many successes or fewer."""
    if successes < 0:
        return 0.0
    return 1.0 if successes >= trials else beta_cdf(1 - probability, trials - successes, successes + 1)


def student_t_quantile(probability: float, degrees: float) -> float:
    """Quantile of Student's t for a probability of at least one half.

    t is distributed as the beta distribution says of degrees / (degrees + t^2).
    """
    x = beta_quantile(2 * (1 - probability), degrees / 2, 0.5)
    return math.inf if x == 0 else math.sqrt(degrees * (1 - x) / x)


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
