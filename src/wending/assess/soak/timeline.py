"""Samples over time in a bounded number of bins: when there are too many, neighbours are joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from wending.assess.soak.window import Window

MAX_BINS = 240
LEVELS = (
    "memory_bytes", "threads", "files", "cpu_cores", "other_cores", "gpu_memory_bytes", "gpu_busy",
    "running", "waiting", "kv_usage", "in_flight",
)  # fmt: skip
"""What is averaged over a bin."""


@dataclass(slots=True)
class Bin:
    """Of samples that follow one another; `seconds` is the time that their windows cover."""

    samples: int = 0
    seconds: float = 0.0
    window: Window = field(default_factory=Window)
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)

    def add(self, line: dict[str, Any], seconds: float) -> None:
        self.samples += 1
        self.seconds += seconds
        self.window.merge(Window.from_json(line))
        for name in LEVELS:
            if line.get(name) is not None:
                total, count = self.sums.get(name, (0.0, 0))
                self.sums[name] = (total + line[name], count + 1)

    def merge(self, other: Bin) -> None:
        self.samples += other.samples
        self.seconds += other.seconds
        self.window.merge(other.window)
        for name, (other_total, other_count) in other.sums.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + other_total, count + other_count)

    def value(self, name: str) -> float | None:
        """A level's mean, or "ttft_s" (mean of the middle 80 %), "tokens_per_s" (all streams), or "errors" a
        minute."""
        if name == "ttft_s":
            return self.window.ttft.trimmed_mean()
        if name == "tokens_per_s":
            return self.window.tokens / self.seconds if self.seconds > 0 else None
        if name == "errors":
            return 60 * self.window.errors.total() / self.seconds if self.seconds > 0 else None
        total, count = self.sums.get(name, (0.0, 0))
        return total / count if count else None


class Timeline:
    """Bins of equal width in seconds, by number; a time without samples has no bin."""

    def __init__(self, width_s: float) -> None:
        self.width_s = width_s
        self._bins: dict[int, Bin] = {}

    def add(self, t: float, line: dict[str, Any], seconds: float) -> None:
        """A sample at `t` seconds after the begin, which closes a window of `seconds`."""
        self._bins.setdefault(int(t / self.width_s), Bin()).add(line, seconds)
        while len(self._bins) > MAX_BINS:
            self._join()

    def _join(self) -> None:
        self.width_s *= 2
        joined: dict[int, Bin] = {}
        for number, old in self._bins.items():
            joined.setdefault(number // 2, Bin()).merge(old)
        self._bins = joined

    def points(self, name: str) -> Iterator[tuple[float, float]]:
        """(middle of the bin in seconds, value) in the order of time."""
        for number in sorted(self._bins):
            value = self._bins[number].value(name)
            if value is not None:
                yield (number + 0.5) * self.width_s, value
