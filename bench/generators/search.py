"""The most streams that a generator sustains: bisection on a logarithmic scale, then confirmations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bench.generators.overhead import Level

BACK_OFF = 0.85
"""What a level that was not confirmed is multiplied by."""


@dataclass(slots=True)
class Search:
    """`low` is taken to hold until it is found not to; `high` is never tried."""

    low: int
    high: int
    tried: list[tuple[int, Level | None, str]] = field(default_factory=list)
    """Streams; what was measured; else why there is nothing."""

    @property
    def middle(self) -> int:
        return round(math.sqrt(self.low * self.high))

    def add(self, streams: int, level: Level | None, why: str = "") -> None:
        """The outcome of trying the middle, or `low` once more."""
        self.tried.append((streams, level, why))
        held = level is not None and level.held
        if held:
            self.low = max(self.low, streams)
        elif streams > self.low:
            self.high = min(self.high, streams)
        else:
            self.high, self.low = self.low, round(BACK_OFF * self.low)

    @property
    def held(self) -> tuple[int, int]:
        """How often `low` held, and how often it was tried."""
        outcomes = [
            level is not None and level.held for streams, level, _ in self.tried if streams == self.low
        ]
        return sum(outcomes), len(outcomes)

    @property
    def best(self) -> Level | None:
        """The last measurement at `low`."""
        return next((level for streams, level, _ in reversed(self.tried) if streams == self.low), None)
