"""What a soak is to do; written at the head of its log, so that it can be gone on with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SHARE_OF_CAPACITY = 0.7
"""Below the knee of the latency curve: what is looked for is wear, not overload."""
LONGEST_CANARY_S = 3600.0
SHORTEST_CANARY_S = 30.0
CANARIES_OF_A_SHORT_SOAK = 12


@dataclass(frozen=True, slots=True)
class SoakPlan:
    """Times in seconds."""

    duration_s: float
    concurrency: int
    sample_s: float = 5.0
    canary_s: float = LONGEST_CANARY_S
    stall_s: float = 30.0
    """So long without a token from any request is a stall."""
    seed: int = 1

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def canary_interval(duration_s: float) -> float:
    """Each hour; in a short soak about twelve times, but not more often than each half minute."""
    return min(LONGEST_CANARY_S, max(SHORTEST_CANARY_S, duration_s / CANARIES_OF_A_SHORT_SOAK))


def concurrency_of(capacity: int) -> int:
    """70 % of a capacity, at least one request."""
    return max(1, int(SHARE_OF_CAPACITY * capacity))
