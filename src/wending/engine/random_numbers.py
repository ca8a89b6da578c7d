"""The random number of each token, as a pure function of (seed, completion, position).

No generator state exists, so neither the batch a token is computed in, nor a preemption, nor a restart can
shift the numbers of a request. The function is SplitMix64 read at a given counter: G. L. Steele, D. Lea and
C. H. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, with the finaliser constants of
D. Stafford's variant 13, as in java.util.SplittableRandom.
"""

from __future__ import annotations

import secrets

_MASK = 2**64 - 1
_GOLDEN_GAMMA = 0x9E3779B97F4A7C15


def uniform(seed: int, index: int, position: int) -> float:
    """A number in [0, 1), a multiple of 2**-53, for token `position` (from 0) of completion `index` of a
    request.

    `seed` is any integer; it counts modulo 2**64.
    """
    stream = _mix(seed + (index + 1) * _GOLDEN_GAMMA)
    return (_mix(stream + (position + 1) * _GOLDEN_GAMMA) >> 11) * 2.0**-53


def draw_seed() -> int:
    """A seed for a request that brings none: 53 random bits, which every JSON reader keeps exactly."""
    return secrets.randbits(53)


def _mix(value: int) -> int:
    """SplitMix64's finaliser: a bijection of 64-bit integers; each input bit moves every output bit."""
    value &= _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
