"""What a simulated assessment said of a figure, beside what was planted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wending.assess.stats import Interval, exact

TARGET = Interval(0.93, 0.97)
"""In so many cases an interval of 95 % should cover what was planted."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One interval of one assessment. `figure` is the kind of figure, counted together."""

    figure: str
    planted: float
    low: float
    high: float

    @property
    def is_covered(self) -> bool:
        return self.low - ROUNDING <= self.planted <= self.high + ROUNDING


ROUNDING = 5e-6
"""Half of the last digit that report.json holds."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """`covered` of `count` intervals held what was planted; `share` is the exact interval of that share."""

    figure: str
    covered: int
    count: int

    @property
    def share(self) -> Interval:
        return exact(self.covered, self.count) or Interval(0.0, 1.0)

    @property
    def verdict(self) -> str:
        """Allowing for the uncertainty of the simulation itself."""
        if self.share.high < TARGET.low:
            return "too few"
        return "conservative" if self.share.low > TARGET.high else "as meant"

    def to_json(self) -> dict[str, Any]:
        low, high = self.share
        return {"figure": self.figure, "covered": self.covered, "n": self.count, "low": low, "high": high,
                "verdict": self.verdict}  # fmt: skip


def coverages(observations: Iterable[Observation]) -> list[Coverage]:
    """One for each kind of figure, in the order of their first appearance."""
    return counted((observation.figure, observation.is_covered) for observation in observations)


def counted(covered: Iterable[tuple[str, bool]]) -> list[Coverage]:
    """The same from pairs of a figure and whether its interval held what was planted."""
    of_figure: dict[str, list[bool]] = defaultdict(list)
    for figure, is_covered in covered:
        of_figure[figure].append(is_covered)
    return [Coverage(figure, sum(each), len(each)) for figure, each in of_figure.items()]
