"""When a failed call of the upstream is made again: a few times, after growing random pauses.

The pauses are exponential with full jitter (M. Brooker, "Exponential Backoff And Jitter", 2015): uniformly
distributed between 0 and a limit that doubles, so that clients that failed together do not return together.
"""

from __future__ import annotations

import random
from asyncio import get_running_loop, sleep
from collections.abc import Awaitable, Callable
from typing import TypeVar

from wending.serve.guard.upstream_failure import UpstreamFailure

T = TypeVar("T")

MAX_FAILURES = 5
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0


def longest_pause_s(failures: int) -> float:
    """The limit of the pause after so many failures, of which there was at least one."""
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (failures - 1)))


class Retries:
    """Of one request to us, however many calls of the upstream it takes. `deadline`: in the loop's time."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.failures: list[str] = []

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of `call`, made again where that may help. Raises the APIError of the last failure."""
        while True:
            try:
                return await call()
            except UpstreamFailure as failure:
                await self.pause_after(failure)

    async def pause_after(self, failure: UpstreamFailure) -> None:
        """Returns when the call may be made again; raises the failure's APIError if it may not.

        Retry-After is waited for in full. If the deadline would pass meanwhile, the error is given at once.
        """
        self.failures.append(str(failure))
        if not failure.may_repeat or len(self.failures) >= MAX_FAILURES:
            raise failure.error from failure
        pause = (failure.retry_after_s or 0.0) + random.uniform(0, longest_pause_s(len(self.failures)))
        if get_running_loop().time() + pause >= self.deadline:
            raise failure.error from failure
        await sleep(pause)
