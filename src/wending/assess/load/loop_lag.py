"""How late an event loop is: what it adds to every time that is measured in it."""

from __future__ import annotations

import asyncio
import time

INTERVAL_S = 0.01


class LoopLag:
    """Seconds by which a timer fired too late, once every INTERVAL_S. A context manager."""

    def __init__(self) -> None:
        self.lags: list[float] = []

    def __enter__(self) -> LoopLag:
        self._arm()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _arm(self) -> None:
        self._due = time.monotonic() + INTERVAL_S
        self._timer = asyncio.get_running_loop().call_later(INTERVAL_S, self._fired)

    def _fired(self) -> None:
        self.lags.append(max(time.monotonic() - self._due, 0.0))
        self._arm()
