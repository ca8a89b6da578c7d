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

    A plan has at least one stream or arrival. `start` is a time of the machine's monotonic clock. A counted
    request that has no first token after `patience_s` is reported at once: nobody has to wait for its end.
    """

    base_url: str
    headers: dict[str, str]
    bodies: tuple[bytes, ...]
    schedule: Closed | Open
    start: float
    patience_s: float
    numbers: tuple[int, ...] = ()
    """In a part, the places that its bodies have in the whole plan."""

    @property
    def work(self) -> int:
        """Streams or arrivals."""
        schedule = self.schedule
        return len(schedule.starts if isinstance(schedule, Closed) else schedule.arrivals)

    def part(self, index: int, of: int) -> LoadPlan:
        """Every `of`-th stream or arrival, from `index` on, and its bodies: the work of one process."""
        schedule: Closed | Open
        if isinstance(self.schedule, Closed):
            # Dealt out by streams: a process with more of them needs more bodies.
            streams = len(self.schedule.starts)
            schedule = msgspec.structs.replace(self.schedule, starts=self.schedule.starts[index::of])
        else:
            streams = of
            schedule = Open(self.schedule.arrivals[index::of])
        numbers = tuple(n for n in range(len(self.bodies)) if n % streams % of == index)
        return msgspec.structs.replace(
            self, bodies=tuple(self.bodies[n] for n in numbers), schedule=schedule, numbers=numbers
        )
