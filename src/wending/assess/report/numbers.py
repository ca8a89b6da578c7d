"""Figures as people read them: no more digits than the measurement carries, a dash where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

NONE = "–"


def percent(share: float | None) -> str:
    """0.834 -> 83%."""
    return NONE if share is None else f"{100 * share:.0f}%"


def rate_percent(rate: Mapping[str, Any]) -> str:
    """The share of a rate {"k", "n", ...}."""
    return percent(rate["k"] / rate["n"]) if rate["n"] else NONE


def interval_percent(rate: Mapping[str, Any]) -> str:
    """The interval of a rate: 75–89%."""
    low, high = rate.get("low"), rate.get("high")
    return NONE if low is None or high is None else between((low, high), percent)


def between(bounds: Sequence[float] | None, text: Callable[[float | None], str]) -> str:
    """Both ends of an interval: 11.8–13.1 ms, 75–89%; the unit once where they share it. "" for none."""
    if bounds is None:
        return ""
    low, high = map(text, bounds)
    unit = "%" if high.endswith("%") else "".join(high.partition(" ")[1:])
    return f"{low.removesuffix(unit)}–{high}"


def points_changed(change: Mapping[str, Any] | None) -> str:
    """The difference of two shares, in percentage points, with its interval: +12 (−3 to +27)."""
    if change is None:
        return NONE
    difference, low, high = (
        None if value is None else f"{100 * value:+.0f}".replace("-", "−")
        for value in (change["difference"], change["low"], change["high"])
    )
    return f"{difference}" if low is None else f"{difference} ({low} … {high})"


def milliseconds(seconds: float | None) -> str:
    """0.0123 -> 12.3 ms, 0.123 -> 123 ms, 1.234 -> 1.23 s, 12.34 -> 12.3 s."""
    if seconds is None:
        return NONE
    if seconds < 0.9995:
        value = 1000 * seconds
        return f"{value:.1f} ms" if value < 99.95 else f"{value:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"


def per_second(value: float | None) -> str:
    """Tokens per second: one decimal below 100, none above."""
    if value is None:
        return NONE
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def tick_seconds(seconds: float) -> str:
    """A round number of seconds on an axis: 0, 200 ms, 2 s."""
    return f"{seconds:g} s" if seconds >= 1 else f"{1000 * seconds:g} ms" if seconds else "0"


def tick_number(value: float) -> str:
    """A round number on an axis: 0, 50, 1,500."""
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def count(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def bytes_size(value: float | None) -> str:
    """Bytes in binary units: 183500800 -> 175 MiB."""
    if value is None:
        return NONE
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB" if value < 100 else f"{value:.0f} GiB"


def duration(seconds: float | None) -> str:
    """75.2 -> 1 min 15 s."""
    if seconds is None:
        return NONE
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
