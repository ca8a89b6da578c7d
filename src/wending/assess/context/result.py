"""What was found out, and its form as `context` in report.json."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.stats import wilson

LimitSource = Literal["models", "refusal", "default"]
StoppedBy = Literal["limit", "time", "refused", "shortened", "error"]


@dataclass(frozen=True, slots=True)
class Probe:
    """One question for one fact."""

    language: str
    depth: float
    """Share of the text before the fact, as it was asked for."""
    tokens: int
    """Of the whole prompt."""
    distance: int
    """Tokens from the fact to the end of the prompt."""
    recalled: bool
    answer: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Point:
    """All probes of about one distance; ``tokens`` is their median distance."""

    tokens: int
    recalled: int
    probes: int


@dataclass(slots=True)
class ContextResult:
    """Grows as it is measured, so a break keeps what there is. All lengths are tokens."""

    limit: int | None = None
    limit_source: LimitSource = "default"
    probes: list[Probe] = field(default_factory=list)
    stopped_by: StoppedBy | None = None
    """None while it runs, and where it was broken off."""
    stopped_at: int | None = None
    """The length that was refused, shortened, too slow or failed; None where the limit was reached."""
    message: str | None = None
    """What the endpoint said when it refused or failed."""
    counted_by_usage: bool = True

    @property
    def points(self) -> list[Point]:
        """By distance, in powers of two from half-way below to half-way above."""
        near: dict[int, list[Probe]] = defaultdict(list)
        for probe in self.probes:
            near[round(math.log2(max(probe.distance, 1)))].append(probe)
        return [
            Point(
                round(median(probe.distance for probe in probes)),
                sum(probe.recalled for probe in probes),
                len(probes),
            )
            for _, probes in sorted(near.items())
        ]

    @property
    def first_miss(self) -> int | None:
        """The shortest distance at which a fact was missed."""
        return min((probe.distance for probe in self.probes if not probe.recalled), default=None)

    def to_json(self) -> dict[str, Any]:
        return {
            "limit": self.limit,
            "limit_source": self.limit_source,
            "points": [{"tokens": point.tokens, "rate": _rate(point)} for point in self.points],
            "first_miss": self.first_miss,
            "longest": max((probe.tokens for probe in self.probes), default=None),
            "stopped_by": self.stopped_by,
            "stopped_at": self.stopped_at,
            "message": None if self.message is None else str(self.message),
            "tokens_counted_by": "usage" if self.counted_by_usage else "estimate",
            "summary": {"en": str(self.summary()), "zh": chinese(self.summary())},
            "probes": [asdict(probe) | {"seconds": round(probe.seconds, 3)} for probe in self.probes],
        }

    def summary(self) -> Bilingual:
        """One or two sentences for people."""
        if not self.probes:
            found = Bilingual("No fact was asked for", "未能提问任何事实")
        else:
            recalled, asked = sum(probe.recalled for probe in self.probes), len(self.probes)
            longest = max(probe.tokens for probe in self.probes)
            found = Bilingual(
                f"{recalled} of {asked} facts were recalled from prompts of up to {longest:,} tokens",
                f"在最长 {longest:,} 个 token 的提示词中，{asked} 个事实答对 {recalled} 个",
            )
        if self.first_miss is not None:
            found += Bilingual(
                f"; the nearest that was missed lay {self.first_miss:,} tokens back",
                f"；未能答对的事实中最近的一个在 {self.first_miss:,} 个 token 之前",
            )
        return found + Bilingual(".", "。") + self._end()

    def _end(self) -> Bilingual:
        at = f"{self.stopped_at or 0:,}"
        ends: dict[StoppedBy | None, Bilingual] = {
            "refused": Bilingual(
                f" The endpoint refused prompts from about {at} tokens on.",
                f"约 {at} 个 token 起的提示词被服务拒绝。",
            ),
            "shortened": Bilingual(
                f" The endpoint cut a prompt of about {at} tokens without saying so.",
                f"约 {at} 个 token 的提示词被服务悄悄截短。",
            ),
            "time": Bilingual(
                f" Prompts of {at} tokens and more were not measured, for time.",
                f"为节省时间，未测 {at} 个及以上 token 的提示词。",
            ),
            "error": Bilingual(
                f" At about {at} tokens the endpoint failed.", f"约 {at} 个 token 时服务出错。"
            ),
        }
        return ends.get(self.stopped_by, Bilingual("", ""))


def _rate(point: Point) -> dict[str, Any]:
    interval = wilson(point.recalled, point.probes)
    return {
        "k": point.recalled,
        "n": point.probes,
        "low": None if interval is None else round(interval.low, 5),
        "high": None if interval is None else round(interval.high, 5),
    }
