"""The highest concurrency that keeps an objective: a doubling ramp, bisection, and confirmations.

It knows nothing of requests and clocks: the caller measures a level, or says that there is no time for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from wending.assess.load.level import Level

CAP = 64
"""Highest concurrency that is tried."""
CONFIRMATIONS = 3
"""How often the highest level that held is measured again."""
TRIES = 2
"""How often a level is tried that the generator could not drive."""

Measure = Callable[[int, bool], Awaitable[Level | None]]
"""Measures a concurrency, for the search or (True) as a confirmation; None when there was no time for it."""


@dataclass(slots=True)
class Capacity:
    """`max_concurrency` held (0: not even one stream did); `failed_at` is the lowest level that did not.

    `stopped_by`: "bracketed" (the next higher level failed), "cap", "time", or "generator" (it could not
    drive the next level); without a `failed_at` the true value may be higher. All of the
    `confirmations_made` at `max_concurrency` held, or it would not be the highest that holds.
    """

    max_concurrency: int = 0
    failed_at: int | None = None
    stopped_by: Literal["bracketed", "cap", "time", "generator"] = "time"
    confirmations_made: int = 0
    levels: list[Level] = field(default_factory=list)
    invalid_levels: list[Level] = field(default_factory=list)

    @property
    def at_least(self) -> bool:
        return self.failed_at is None

    @property
    def highest(self) -> list[Level]:
        """Every measurement at `max_concurrency` that counts."""
        return [level for level in self.levels if level.concurrency == self.max_concurrency]


async def find_capacity(
    first: Level, measure: Measure, cap: int = CAP, confirmations: int = CONFIRMATIONS
) -> Capacity:
    """Searches upwards from `first` (concurrency 1). When a confirmation fails, the search goes on below."""
    search = _Search(first, measure, cap)
    while True:
        await search.bracket()
        if not await search.is_refuted(confirmations):
            return search.found


class _Search:
    def __init__(self, first: Level, measure: Measure, cap: int) -> None:
        self._measure = measure
        self._cap = cap
        self.found = Capacity()
        (self.found.invalid_levels if first.invalid else self.found.levels).append(first)
        if first.held:
            self.found.max_concurrency = 1
        elif not first.invalid:
            self.found.failed_at = 1

    async def bracket(self) -> None:
        """Until the highest level that holds and the lowest that fails are neighbours, or it must stop."""
        found = self.found
        while True:
            if found.failed_at is not None and found.failed_at - found.max_concurrency <= 1:
                found.stopped_by = "bracketed"
                return
            if found.max_concurrency >= self._cap:
                found.stopped_by = "cap"
                return
            level = await self._try(self._next(), confirming=False)
            if level is None:
                return
            if level.held:
                found.max_concurrency = level.concurrency
            else:
                found.failed_at = level.concurrency

    async def is_refuted(self, confirmations: int) -> bool:
        """Whether a confirmation of the highest level failed; it stops at the first that does."""
        found = self.found
        found.confirmations_made = 0
        while found.max_concurrency > 0 and found.confirmations_made < confirmations:
            stopped_by = found.stopped_by
            level = await self._try(found.max_concurrency, confirming=True)
            if level is None:
                found.stopped_by = stopped_by  # the search itself had ended before
                return False
            if not level.held:
                found.failed_at = level.concurrency
                below = [one.concurrency for one in found.levels if one.held]
                found.max_concurrency = max((c for c in below if c < level.concurrency), default=0)
                return True
            found.confirmations_made += 1
        return False

    def _next(self) -> int:
        found = self.found
        if found.failed_at is None:
            return min(max(2 * found.max_concurrency, 1), self._cap)
        return (found.max_concurrency + found.failed_at) // 2

    async def _try(self, concurrency: int, *, confirming: bool) -> Level | None:
        """A level that counts; None, with the reason in `stopped_by`, when none could be had."""
        for _ in range(TRIES):
            level = await self._measure(concurrency, confirming)
            if level is None:
                self.found.stopped_by = "time"
                return None
            if not level.invalid:
                level = replace(level, confirmation=confirming)
                self.found.levels.append(level)
                return level
            self.found.invalid_levels.append(level)
        self.found.stopped_by = "generator"
        return None
