"""One quantity over the time of a soak as inline SVG: the line breaks at gaps, events are marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from markupsafe import Markup, escape

from wending.assess.report.scales import linear_from_zero

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 500, 150, 64, 14, 10, 122
BREAK = 3.0
"""Neighbours further apart than so many usual distances are not joined."""
_HOUR_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_MOST_TICKS = 6


def timeline_chart(
    points: Sequence[tuple[float, float]],
    end_s: float,
    y_text: Callable[[float], str],
    label: str,
    marks: Sequence[float] = (),
    y_scale: float = 1.0,
) -> Markup:
    """`points`: (seconds, value) in the order of time; `marks`: seconds of events.

    `y_scale`: the value in which round ticks are wanted, such as 2**20 for MiB.
    """
    x = linear_from_zero([end_s / 1.05], LEFT, WIDTH - RIGHT)
    y = linear_from_zero([value / y_scale for _, value in points], BOTTOM, TOP)
    parts = []
    for tick in y.ticks(4):
        parts.append(
            f'<line class="grid" x1="{LEFT}" y1="{y(tick):.1f}" x2="{WIDTH - RIGHT}" y2="{y(tick):.1f}"/>'
        )
        parts.append(_text(y_text(tick), LEFT - 7, y(tick) + 4, "end"))
    step = next((step for step in _HOUR_STEPS if end_s / step <= _MOST_TICKS), 86400 * (end_s // 518400 + 1))
    parts += [
        _text(_time(step * number), x(step * number), BOTTOM + 17, "middle")
        for number in range(int(end_s / step) + 1)
    ]
    parts += [
        f'<line class="limit" x1="{x(t):.1f}" y1="{TOP}" x2="{x(t):.1f}" y2="{BOTTOM}"/>' for t in marks
    ]
    for piece in _pieces(points):
        path = " ".join(f"{x(t):.1f},{y(value / y_scale):.1f}" for t, value in piece)
        if len(piece) == 1:
            path += " " + path  # a line of no length still shows, with its round ends
        parts.append(f'<polyline class="line s0" stroke-linecap="round" points="{path}"/>')
    body = "".join(parts)
    return Markup(
        f'<svg class="timeline" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{body}</svg>"
    )


def _pieces(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    steps = sorted(after[0] - before[0] for before, after in pairwise(points))
    usual = steps[len(steps) // 2] if steps else 0.0
    pieces: list[list[tuple[float, float]]] = []
    for point in points:
        if pieces and point[0] - pieces[-1][-1][0] <= BREAK * usual:
            pieces[-1].append(point)
        else:
            pieces.append([point])
    return pieces


def _time(seconds: float) -> str:
    if seconds == 0:
        return "0"
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 3600 else f"{seconds / 3600:g} h"


def _text(text: str, x: float, y: float, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
