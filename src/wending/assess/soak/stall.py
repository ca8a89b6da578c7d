"""Stalls: so long has no request, whichever, brought a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Report = Callable[[str, dict[str, Any]], None]


class StallWatch:
    """Hears each piece of content and looks now and then at the clock. Times are monotonic seconds.

    A stall is reported when it begins to be one and again when it ends, so that a soak which dies in the
    middle of a stall still tells of it.
    """

    def __init__(self, limit_s: float, started: float, report: Report) -> None:
        self._limit_s = limit_s
        self._heard = started
        self._report = report
        self.is_stalled = False

    def heard(self, now: float) -> None:
        self.check(now)
        if self.is_stalled:
            self._report("stall_end", {"seconds": round(now - self._heard, 3)})
            self.is_stalled = False
        self._heard = now

    def check(self, now: float) -> None:
        silent_s = now - self._heard
        if silent_s > self._limit_s and not self.is_stalled:
            self.is_stalled = True
            self._report("stall_begin", {"silent_s": round(silent_s, 3)})
