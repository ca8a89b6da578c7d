"""When a request should be served, as opposed to how: nothing here changes a byte of the answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from wending.engine.errors import InvalidRequest

LARGEST_PRIORITY = 1_000_000
SECONDS_OF_A_PRIORITY = 30.0
"""One step of priority counts as much as having arrived so much earlier. A request is thereby overtaken only
by those that arrive within a bounded time after it, and nobody starves."""


@dataclass(frozen=True, slots=True)
class Urgency:
    """The place of a request among others. Raises InvalidRequest for a value outside its range."""

    priority: int = 0
    """The lower goes first; of equal ones, the earlier arrival."""
    deadline_s: float | None = None
    """Seconds from now by which the answer must be complete; later it ends with an error. None: no limit."""

    def __post_init__(self) -> None:
        priority, deadline_s = self.priority, self.deadline_s
        if type(priority) is not int or abs(priority) > LARGEST_PRIORITY:
            raise InvalidRequest(
                "priority",
                f"must be an integer from {-LARGEST_PRIORITY} to {LARGEST_PRIORITY}, got {priority!r}",
            )
        if deadline_s is None:
            return
        if isinstance(deadline_s, bool) or not isinstance(deadline_s, int | float):
            raise InvalidRequest("deadline_s", f"must be a number of seconds, got {deadline_s!r}")
        if not 0 < deadline_s < math.inf:
            raise InvalidRequest("deadline_s", f"must be greater than 0 and finite, got {deadline_s!r}")

    def rank(self, arrival_s: float) -> float:
        """What requests are served in ascending order of, for one that arrived at this time in seconds."""
        return arrival_s + self.priority * SECONDS_OF_A_PRIORITY
