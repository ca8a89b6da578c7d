"""What a log says: read line by line, in bounded memory, whether the soak is over, runs or was killed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from wending.assess.bilingual import Bilingual
from wending.assess.soak.crash_rate import upper_bound
from wending.assess.soak.events import CRASHES
from wending.assess.soak.histogram import Histogram
from wending.assess.soak.log import NAME, read_log
from wending.assess.soak.plan import SoakPlan
from wending.assess.soak.timeline import Timeline
from wending.assess.soak.window import Window
from wending.assess.stats import wilson
from wending.assess.stats.trend import trend

FORMAT = 1
MAX_KEPT = 200
"""Events, gaps and differing canaries that are kept one by one; all are counted."""
PLOTTED = (
    "memory_bytes", "threads", "files", "cpu_cores", "other_cores", "gpu_memory_bytes", "gpu_busy", "waiting",
    "kv_usage", "ttft_s", "tokens_per_s", "errors",
)  # fmt: skip
TRENDED = ("memory_bytes", "threads", "files", "gpu_memory_bytes", "ttft_s")
WARM_UP = 0.25
"""Share of the time that is left out of trends: caches fill and pools grow at the begin of every server."""
MOST_EXTRAPOLATION = 100
"""A projection goes at most so many times as far as the soak: for 30 days it takes 7.2 hours."""
PROJECTED_HOURS = 720.0
CERTAIN_P = 0.001
"""Several figures are looked at in every soak: none of some hundred soaks may be suspected wrongly."""
MATERIAL_RISE = 0.02
"""Of the level, over the time that was seen."""
MATERIAL_PROJECTION = 0.1
"""Of the level, over 30 days."""
TREND_FIELDS = ("slope_per_hour", "low", "high", "p", "in_30_days", "is_certain", "still_rises", "rises")


class NoSoakError(Exception):
    """The folder holds no log of a soak, or cannot be used for one. Its argument is for a person."""


@dataclass
class SoakSummary:
    """Built line by line with `take`; `to_json` is soak.json (docs/soak.md)."""

    head: dict[str, Any] = field(default_factory=dict)
    baseline: dict[str, str | None] = field(default_factory=dict)
    server_pid: int | None = None
    """The server that the last session started, if any."""
    began: float | None = None
    last: float = 0.0
    soaked_s: float = 0.0
    sessions: int = 0
    end: str | None = None
    end_zh: str | None = None
    """The same in Chinese."""
    lines_passed_over: int = 0
    """Of the log, that could not be used: cut off, or damaged."""
    gaps: list[dict[str, float]] = field(default_factory=list)
    total: Window = field(default_factory=Window)
    events: list[dict[str, Any]] = field(default_factory=list)
    event_counts: Counter[str] = field(default_factory=Counter)
    stall_s: float = 0.0
    longest_stall_s: float = 0.0
    down_s: float = 0.0
    canary_equal: Counter[bool] = field(default_factory=Counter)
    """Equal answers under load (True) and alone (False)."""
    canary_compared: Counter[bool] = field(default_factory=Counter)
    canary_failed: int = 0
    canary_rounds: int = 0
    differing: list[dict[str, Any]] = field(default_factory=list)
    timeline: Timeline | None = None
    tells_restarts: bool = False
    """The endpoint's /metrics have a counter of restarts, or the time of the process's start; or its process
    is watched."""
    sampled_at: float | None = None
    """Of the last sample in this run of the soak."""

    @property
    def plan(self) -> SoakPlan:
        return SoakPlan(**self.head["plan"])

    def take(self, line: dict[str, Any]) -> None:
        """The next line of the log."""
        kind, at = line["kind"], line["at"]
        if kind == "start":
            self.head = line
            self.timeline = Timeline(line["plan"]["sample_s"])
            self.began = at
            self.sessions = 1
        elif not self.head:
            return
        elif kind == "resume":
            self.sessions += 1
            self.end = self.end_zh = self.sampled_at = None
            if len(self.gaps) < MAX_KEPT:
                self.gaps.append(
                    {"begin_s": round(self.last - self._began, 1), "seconds": round(at - self.last, 1)}
                )
        else:
            seconds = max(at - self.last, 0.0)
            self.soaked_s += seconds
            self._take_measured(kind, line, at - self._began)
        self.last = max(at, self.last)

    @property
    def _began(self) -> float:
        return self.began or 0.0

    def _take_measured(self, kind: str, line: dict[str, Any], t: float) -> None:
        if kind == "sample" and self.timeline is not None:
            window_s = self.plan.sample_s if self.sampled_at is None else t - self.sampled_at
            self.sampled_at = t
            self.timeline.add(t, line, window_s)
            self.total.merge(Window.from_json(line))
            self.tells_restarts |= "engine_restarts" in line or "process_started" in line
        elif kind == "event":
            self._take_event(line, t)
        elif kind == "canary":
            self._take_canary(line, t)
        elif kind == "server":
            self.server_pid = line["pid"]
        elif kind == "process":
            self.tells_restarts = True
        elif kind == "end":
            self.end = line["reason"]
            self.end_zh = line.get("reason_zh", self.end)

    def _take_event(self, line: dict[str, Any], t: float) -> None:
        event = line["event"]
        self.event_counts[event] += line.get("count", 1)
        if event == "stall_end":
            self.stall_s += line["seconds"]
            self.longest_stall_s = max(self.longest_stall_s, line["seconds"])
        elif event == "server_restarted":
            self.down_s += line["seconds"]
        if len(self.events) < MAX_KEPT:
            values = {name: value for name, value in line.items() if name not in ("kind", "at")}
            self.events.append({"t_s": round(t, 1), **values})

    def _take_canary(self, line: dict[str, Any], t: float) -> None:
        self.canary_rounds += 1
        for answer in line["answers"]:
            if "error" in answer:
                self.canary_failed += 1
            if answer["equal"] is None:
                continue
            self.canary_compared[line["loaded"]] += 1
            self.canary_equal[line["loaded"]] += answer["equal"]
            if not answer["equal"] and len(self.differing) < MAX_KEPT:
                self.differing.append(
                    {"t_s": round(t, 1), "id": answer["id"], "loaded": line["loaded"], "text": answer["text"]}
                )

    @property
    def crashes(self) -> int:
        return sum(self.event_counts[event] for event in CRASHES)

    @property
    def crashes_are_visible(self) -> bool:
        """Of a server that was not started here, restarts show only where /metrics tells of them."""
        return self.head["target"]["kind"] != "endpoint" or self.tells_restarts

    def to_json(self) -> dict[str, Any]:
        hours = self.soaked_s / 3600
        bound = upper_bound(self.crashes, hours)
        failed, answered = self.total.errors.total(), self.total.requests
        return {
            "format": FORMAT,
            "target": self.head["target"],
            "plan": self.head["plan"],
            "environment": self.head["environment"],
            "began_at": self.began,
            "soaked_s": round(self.soaked_s, 1),
            "complete": self.end == "done",
            "end": self.end,
            "end_zh": self.end_zh,
            "lines_passed_over": self.lines_passed_over,
            "sessions": self.sessions,
            "gaps": self.gaps,
            "requests": answered,
            "tokens": self.total.tokens,
            "errors": dict(self.total.errors.most_common()),
            "error_rate": _rate(failed, failed + answered),
            "ttft_s": _quantiles(self.total.ttft, (0.5, 0.95, 0.99)),
            "tokens_per_s": _quantiles(self.total.speed, (0.05, 0.5)),
            "crashes": {
                "n": self.crashes,
                "visible": self.crashes_are_visible,
                "per_hour_at_most": bound if self.crashes_are_visible else None,
                "hours_between_at_least": 1 / bound if bound and self.crashes_are_visible else None,
                "down_s": round(self.down_s, 1),
                "oom_kills": self.event_counts["oom_kill"],
            },
            "stalls": {
                "n": self.event_counts["stall_begin"],
                "seconds": round(self.stall_s, 1),
                "longest_s": round(self.longest_stall_s, 1),
                "open": self.event_counts["stall_begin"] > self.event_counts["stall_end"],
            },
            "canary": {
                "rounds": self.canary_rounds,
                "unsteady": [name for name, text in self.baseline.items() if text is None],
                "loaded": _rate(self.canary_equal[True], self.canary_compared[True]),
                "alone": _rate(self.canary_equal[False], self.canary_compared[False]),
                "failed": self.canary_failed,
                "differing": self.differing,
            },
            "events": self.events,
            "event_counts": dict(self.event_counts),
            "trends": [row for name in TRENDED if (row := self._trend(name)) is not None],
            "series": {name: points for name in PLOTTED if (points := self._series(name))},
        }

    def _series(self, name: str) -> list[tuple[float, float]]:
        if self.timeline is None:
            return []
        points = [(round(t, 1), float(f"{value:.5g}")) for t, value in self.timeline.points(name)]
        return points if len(points) > 1 else []

    def _trend(self, name: str) -> dict[str, Any] | None:
        """Slope per hour, its projection, and whether it rises; None where nothing was measured."""
        if self.timeline is None:
            return None
        whole = self.last - self._began
        points = [point for point in self.timeline.points(name) if point[0] >= WARM_UP * whole]
        if not points:
            return None
        level = median(value for _, value in points)
        found = trend([t / 3600 for t, _ in points], [value for _, value in points])
        row: dict[str, Any] = {"name": name, "level": level, "n": len(points)}
        if found is None:
            return row | dict.fromkeys(TREND_FIELDS)
        hours = (points[-1][0] - points[0][0]) / 3600
        in_30_days = found.slope * PROJECTED_HOURS if hours * MOST_EXTRAPOLATION >= PROJECTED_HOURS else None
        is_certain = found.p < CERTAIN_P and found.low > 0
        is_material = found.slope * hours > MATERIAL_RISE * level or (
            in_30_days is not None and in_30_days > MATERIAL_PROJECTION * level
        )
        # A growth that ends by itself is seen in the whole, and no more in the second half.
        half = [point for point in points if point[0] >= whole / 2]
        late = trend([t / 3600 for t, _ in half], [value for _, value in half])
        still_rises = late is None or late.low > 0
        return row | {
            "slope_per_hour": found.slope,
            "low": found.low,
            "high": found.high,
            "p": found.p,
            "in_30_days": in_30_days,
            "is_certain": is_certain,
            "still_rises": still_rises,
            "rises": is_certain and is_material and still_rises,
        }


def summarize(folder: Path) -> SoakSummary:
    """The summary of a folder's log. Raises NoSoakError if there is no log, or no head in it."""
    summary = SoakSummary()

    def passed_over() -> None:
        summary.lines_passed_over += 1

    try:
        for line in read_log(folder, passed_over):
            if line["kind"] == "start":
                summary.baseline = line["baseline"]
            summary.take(line)
    except OSError as error:
        why = error.strerror or str(error)
        raise NoSoakError(
            Bilingual(f"{folder} holds no soak: {NAME}: {why}", f"{folder} 中没有浸泡测试：{NAME}：{why}")
        ) from None
    if not summary.head:
        raise NoSoakError(
            Bilingual(
                f"{folder}: {NAME} has no first line of a soak", f"{folder}：{NAME} 中没有浸泡测试的首行"
            )
        )
    return summary


def _rate(k: int, n: int) -> dict[str, Any]:
    interval = wilson(k, n)
    low, high = (None, None) if interval is None else interval
    return {"k": k, "n": n, "low": low, "high": high}


def _quantiles(histogram: Histogram, probabilities: tuple[float, ...]) -> dict[str, Any]:
    """ "p05" for 0.05; None where the count cannot carry it."""
    quantiles = {f"p{round(100 * share):02}": histogram.quantile(share) for share in probabilities}
    return {"n": histogram.count, **quantiles}
