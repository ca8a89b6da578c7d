"""The most streams that a generator sustains: bisection on a logarithmic scale, then confirmations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bench.generators.overhead import Level

NEAR = 1.1
"""Levels whose ratio is no larger are not told apart: the machine's own noise moves the limit as much."""
BACK_OFF = 0.85
"""A level that was not confirmed is multiplied by this, unless one above that has held."""
DROP = 0.5
"""One that fails before any other has held is multiplied by this."""
MOST_TRIES = 20


@dataclass(slots=True)
class Search:
    """`low` is the next to be confirmed: the highest that held or, before any did, the lowest that is wanted.
    `high` failed or, before any did, is more than can be expected; that is not tried."""

    low: int
    high: int
    confirmations: int = 2
    """So often the highest level that held must hold again."""
    tried: list[tuple[int, Level | None, str]] = field(default_factory=list)
    """Streams; what was measured; else why there is nothing."""

    @property
    def next(self) -> int | None:
        """The level that is to be tried now; None where the search is over."""
        if len(self.tried) >= MOST_TRIES or self.high <= 1:
            return None
        if self.high > max(NEAR * self.low, self.low + 1):
            return round(math.sqrt(self.low * self.high))
        return self.low if self.held_of(self.low)[0] <= self.confirmations else None

    def add(self, streams: int, level: Level | None, why: str = "") -> None:
        """The outcome of trying `next`."""
        self.tried.append((streams, level, why))
        if _held(level):
            self.low = max(self.low, streams)
            return
        self.high = min(self.high, streams)
        if streams <= self.low:
            held = [one for one, level, _ in self.tried if _held(level)]
            below = [one for one in held if one < streams]
            self.low = max(1, round((BACK_OFF if held else DROP) * streams), *below)

    def held_of(self, streams: int) -> tuple[int, int]:
        """How often that level held, and how often it was tried."""
        outcomes = [_held(level) for one, level, _ in self.tried if one == streams]
        return sum(outcomes), len(outcomes)

    @property
    def sustained(self) -> int | None:
        """The highest level that held whenever it was tried; None where none did."""
        failed = {streams for streams, level, _ in self.tried if not _held(level)}
        return max((streams for streams, _, _ in self.tried if streams not in failed), default=None)

    @property
    def failed_at(self) -> int | None:
        """The lowest level that did not hold; None where all did, and more may be sustained."""
        return min((streams for streams, level, _ in self.tried if not _held(level)), default=None)

    def last_at(self, streams: int) -> tuple[Level | None, str]:
        """The last measurement at a level that was tried, or why there is none."""
        return next((level, why) for one, level, why in reversed(self.tried) if one == streams)


def _held(level: Level | None) -> bool:
    return level is not None and level.held
