"""Axes of charts: where a value lies, and which round values get a tick."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values low .. high to pixels start .. end, linearly or by logarithm."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(max(value, 1e-12))
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values within the scale: 1, 2, 5 times powers of ten."""
        return (
            _logarithmic_ticks(self.low, self.high, most) if self.logarithmic else _linear_ticks(self, most)
        )


def linear_from_zero(values: Sequence[float], start: float, end: float) -> Scale:
    """0 to a little above the greatest value."""
    return Scale(0.0, max([*values, 0.0]) * 1.05 or 1.0, start, end)


def logarithmic_around(values: Sequence[float], start: float, end: float) -> Scale:
    """Whole 1-2-5 steps around all values, which must be positive."""
    lowest, highest = min(values), max(values)
    low = max(step for step in _steps(lowest / 10, highest) if step <= lowest * 1.0001)
    high = min(step for step in _steps(lowest, highest * 10) if step >= highest * 0.9999 and step > low)
    return Scale(low, high, start, end, logarithmic=True)


def _steps(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1
    return [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]


def _linear_ticks(scale: Scale, most: int) -> list[float]:
    step = next(step for step in _steps(scale.high / 100, scale.high * 10) if scale.high / step <= most)
    return [step * index for index in range(int(scale.high / step) + 1)]


def _logarithmic_ticks(low: float, high: float, most: int) -> list[float]:
    inside = [step for step in _steps(low, high) if low * 0.9999 <= step <= high * 1.0001]
    if len(inside) <= most:
        return inside
    decades = [step for step in inside if abs(math.log10(step) - round(math.log10(step))) < 1e-9]
    return decades if len(decades) >= 2 else inside[:: math.ceil(len(inside) / most)]
