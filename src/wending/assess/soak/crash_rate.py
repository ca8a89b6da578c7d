"""What so many hours with so many crashes say about the rate of crashes."""

from __future__ import annotations

import math

CONFIDENCE = 0.95


def upper_bound(crashes: int, hours: float, confidence: float = CONFIDENCE) -> float | None:
    """Crashes per hour that are not exceeded with this one-sided confidence; None for no time at all.

    Exact for a Poisson process: the rate at which so few crashes or fewer would be seen with probability
    1 - confidence. For none it is -ln(1 - confidence) / hours (the "rule of three"). Source: F. Garwood,
    "Fiducial limits for the Poisson distribution", Biometrika 28 (1936), 437-442.

    Raises ValueError for a negative count.
    """
    if crashes < 0:
        raise ValueError(f"crashes must not be negative, got {crashes}")
    if hours <= 0:
        return None
    if crashes == 0:
        return -math.log(1 - confidence) / hours
    low, high = float(crashes), 2.0 * crashes + 20
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(crashes, middle) > 1 - confidence else (low, middle)
    return high / hours


def _at_most(count: int, mean: float) -> float:
    """The probability of `count` or fewer."""
    return math.fsum(
        math.exp(number * math.log(mean) - mean - math.lgamma(number + 1)) for number in range(count + 1)
    )
