"""Prometheus' text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


class Histogram:
    """Counts values by size."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds`: the largest value of each bucket, rising; one without a bound is added."""
        self.bounds = (*bounds, math.inf)
        self.counts = [0] * len(self.bounds)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


@dataclass(slots=True)
class Metric:
    """A metric with its samples."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    lines: list[str] = field(default_factory=list)

    def add(self, value: float, labels: Labels, suffix: str = "") -> None:
        """A sample. A counter's name ends in _total."""
        shown = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        self.lines.append(f"{self.name}{suffix}{f'{{{shown}}}' if labels else ''} {_number(value)}")

    def add_histogram(self, histogram: Histogram, labels: Labels) -> None:
        """The samples of a histogram: how many values up to each bound, their sum, their number."""
        for bound, count in zip(histogram.bounds, accumulate(histogram.counts), strict=True):
            self.add(count, {**labels, "le": _number(bound)}, "_bucket")
        self.add(histogram.sum, labels, "_sum")
        self.add(sum(histogram.counts), labels, "_count")


def render(metrics: Iterable[Metric]) -> str:
    """The text of all metrics."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}", *metric.lines]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return "+Inf" if value == math.inf else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
