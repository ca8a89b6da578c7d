"""Times that are drawn: always the same, or from one of three distributions."""

from __future__ import annotations

import math
from random import Random

import msgspec


class _Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="distribution"):
    """In a script: {"distribution": "lognormal", "median": 0.2, "sigma": 0.5}. All in seconds."""


class Uniform(_Times, frozen=True, tag="uniform"):
    low: float
    high: float


class Exponential(_Times, frozen=True, tag="exponential"):
    mean: float


class Lognormal(_Times, frozen=True, tag="lognormal"):
    """`sigma` is the standard deviation of the logarithm."""

    median: float
    sigma: float


Times = float | Uniform | Exponential | Lognormal
"""A number stands for itself."""


def draw(times: Times, random: Random) -> float:
    """Seconds."""
    match times:
        case Uniform(low, high):
            return random.uniform(low, high)
        case Exponential(mean):
            return random.expovariate(1 / mean) if mean else 0.0
        case Lognormal(median, sigma):
            return median * math.exp(random.gauss(0, sigma))
        case _:
            return times


def smallest(times: Times) -> float:
    """A value below zero would be no time: what has to be checked is the least parameter."""
    return min(msgspec.structs.astuple(times)) if isinstance(times, _Times) else times
