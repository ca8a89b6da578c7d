"""Simulations that mostly wait, several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Result = TypeVar("Result")

GAP_S = 2.0
"""Between two starts: those of processes and the calibration of a generator take all that a core has."""


async def side_by_side(
    work: Callable[[str], Awaitable[Result]], seeds: Sequence[str], at_once: int, gap_s: float = GAP_S
) -> list[Result]:
    """What each seed comes to, in their order; `at_once` of them are under way, begun `gap_s` apart."""
    places, starting = asyncio.Semaphore(at_once), asyncio.Lock()

    async def one(seed: str) -> Result:
        async with places:
            async with starting:
                await asyncio.sleep(gap_s)
            return await work(seed)

    return await asyncio.gather(*map(one, seeds))
