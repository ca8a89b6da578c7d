"""What a load sends, and when."""

from __future__ import annotations

import msgspec


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """Streams that send one request after the other, each as soon as its last answer has ended.

    `starts`: when each stream begins, seconds after the plan's start. The first `warm` requests of a stream
    are not counted, the next `counted` are. Then it goes on, uncounted, until all streams are that far, so
    that every counted request ran among as many others; unless `fill` is false.
    """

    starts: tuple[float, ...]
    warm: int
    counted: int
    fill: bool


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Requests at their times, seconds after the plan's start in rising order, whatever becomes of others."""

    arrivals: tuple[float, ...]


class LoadPlan(msgspec.Struct, frozen=True, tag="plan"):
    """`bodies` are taken in order; a closed loop that runs out of them stops sending.

    `start` is a time of the machine's monotonic clock. A counted request that has no first token after
    `patience_s` is reported at once, so that nobody has to wait for its end.
    """

    base_url: str
    headers: dict[str, str]
    bodies: tuple[bytes, ...]
    schedule: Closed | Open
    start: float
    patience_s: float

    def part(self, index: int, of: int) -> LoadPlan:
        """Every `of`-th stream or request, from `index` on: the work of one process among several."""
        schedule: Closed | Open
        if isinstance(self.schedule, Closed):
            schedule = msgspec.structs.replace(self.schedule, starts=self.schedule.starts[index::of])
        else:
            schedule = Open(self.schedule.arrivals[index::of])
        return msgspec.structs.replace(self, bodies=self.bodies[index::of], schedule=schedule)
