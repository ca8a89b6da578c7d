"""Small charts as inline SVG. Colours come from the page's CSS; words are given in both languages.

They know nothing of the report's structure: they take numbers and labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from wending.assess.report.scales import Scale, linear_from_zero, logarithmic_around

Pair = Mapping[str, str]
"""The same words in "en" and "zh"."""


def interval_bar(
    share: float, low: float, high: float, label: str, tone: str = "pass", width: int = 200
) -> Markup:
    """A share of 0 to 1 as a bar with its interval as a whisker."""
    height, middle = 18, 9
    x = Scale(0.0, 1.0, 1, width - 1)
    parts = [
        f'<rect class="track" x="0" y="4" width="{width}" height="10" rx="2"/>',
        f'<rect class="bar {escape(tone)}" x="0" y="4" width="{_px(max(x(share), 0))}" height="10" rx="2"/>',
        f'<path class="whisker-halo" d="{_whisker(x(low), x(high), middle)}"/>',
        f'<path class="whisker" d="{_whisker(x(low), x(high), middle)}"/>',
    ]
    return _svg(width, height, "interval", label, parts)


def strip_chart(
    rows: Sequence[tuple[Pair, Sequence[float], float | None]], tick_text: Callable[[float], str], label: str
) -> Markup:
    """One row of dots for each (label, values, median); all rows share one axis that begins at zero."""
    width, left, right, row_height, top = 460, 64, 24, 30, 6
    bottom = top + row_height * len(rows)
    x = linear_from_zero([value for _, values, _ in rows for value in values], left, width - right)
    parts = []
    for tick in x.ticks(5):
        parts.append(_rule("grid", x(tick), top, x(tick), bottom))
        parts.append(_tick(tick_text(tick), x(tick), bottom + 15, "middle"))
    for index, (name, values, middle) in enumerate(rows):
        y = top + row_height * index + row_height / 2
        parts.append(_words(name, left - 10, y + 4, "end"))
        parts.append(_rule("axis", left, y, width - right, y))
        parts += [
            f'<circle class="dot s{index}" cx="{_px(x(value))}" cy="{_px(y)}" r="4"/>' for value in values
        ]
        if middle is not None:
            parts.append(_rule("median", x(middle), y - 9, x(middle), y + 9))
    return _svg(width, bottom + 22, "strip", label, parts)


@dataclass(frozen=True, slots=True)
class Series:
    """Points (x, y, whether the objective was kept) of one line; `index` chooses colour and marker."""

    index: int
    points: Sequence[tuple[float, float, bool]]


def line_chart(
    series: Sequence[Series],
    tick_text: Callable[[float], str],
    label: str,
    *,
    limit: float | None = None,
    logarithmic: bool = False,
    up_to: float | None = None,
) -> Markup:
    """Lines over concurrency or turns; the limit is dashed, points that missed the objective are hollow.
    `up_to`: a value that the axis reaches in any case."""
    width, height, left, right, top, bottom = 330, 210, 52, 14, 12, 180
    levels = sorted({x for line in series for x, _, _ in line.points})
    values = [y for line in series for _, y, _ in line.points]
    values += [value for value in (limit, up_to) if value is not None]
    x = Scale(levels[0], max(levels[-1], levels[0] * 2), left + 8, width - right - 8, logarithmic=True)
    y = (logarithmic_around if logarithmic else linear_from_zero)(values, bottom, top)
    parts = []
    for tick in y.ticks():
        parts.append(_rule("grid", left, y(tick), width - right, y(tick)))
        parts.append(_tick(tick_text(tick), left - 7, y(tick) + 4, "end"))
    parts += [
        _tick(f"{level:g}", x(level), bottom + 16, "middle")
        for level in levels
        if level.is_integer() and (int(level) & (int(level) - 1)) == 0
    ]
    if limit is not None:
        parts.append(_rule("limit", left, y(limit), width - right, y(limit)))
    for line in series:
        points = sorted(line.points)
        path = " ".join(f"{_px(x(px))},{_px(y(py))}" for px, py, _ in points)
        parts.append(f'<polyline class="line s{line.index}" points="{path}"/>')
        parts += [_marker(line.index, x(px), y(py), held) for px, py, held in points]
    return _svg(width, height, "lines", label, parts)


def legend_mark(index: int) -> Markup:
    """The marker of a series, for a legend."""
    return _svg(
        26,
        14,
        "mark",
        "",
        [f'<line class="line s{index}" x1="1" x2="25" y1="7" y2="7"/>', _marker(index, 13, 7, True)],
    )


def area_chart(
    points: Sequence[tuple[float, float]],
    x_text: Callable[[float], str],
    y_text: Callable[[float], str],
    label: str,
) -> Markup:
    """One quantity over time, both axes from zero."""
    width, height, left, right, top, bottom = 680, 150, 64, 24, 10, 120
    x = linear_from_zero([point[0] / 1.05 for point in points], left, width - right)
    y = linear_from_zero([point[1] for point in points], bottom, top)
    parts = [_tick(x_text(tick), x(tick), bottom + 16, "middle") for tick in x.ticks(8)]
    for tick in y.ticks(4):
        parts.append(_rule("grid", left, y(tick), width - right, y(tick)))
        parts.append(_tick(y_text(tick), left - 7, y(tick) + 4, "end"))
    path = " ".join(f"{_px(x(px))},{_px(y(py))}" for px, py in points)
    first, last = _px(x(points[0][0])), _px(x(points[-1][0]))
    parts.append(f'<polygon class="area" points="{first},{bottom} {path} {last},{bottom}"/>')
    parts.append(f'<polyline class="line s0" points="{path}"/>')
    return _svg(width, height, "area-chart", label, parts)


def _marker(index: int, x: float, y: float, held: bool) -> str:
    """Circle, square or triangle: the series differ without colour. Hollow: the objective was missed."""
    kind = f'class="marker s{index}{"" if held else " missed"}"'
    if index % 3 == 0:
        return f'<circle {kind} cx="{_px(x)}" cy="{_px(y)}" r="4"/>'
    if index % 3 == 1:
        return f'<rect {kind} x="{_px(x - 3.6)}" y="{_px(y - 3.6)}" width="7.2" height="7.2"/>'
    corners = f"{_px(x)},{_px(y - 5)} {_px(x + 4.8)},{_px(y + 3.6)} {_px(x - 4.8)},{_px(y + 3.6)}"
    return f'<polygon {kind} points="{corners}"/>'


def _whisker(low: float, high: float, y: float) -> str:
    return f"M{_px(low)} {y - 4}V{y + 4}M{_px(low)} {y}H{_px(high)}M{_px(high)} {y - 4}V{y + 4}"


def _rule(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{_px(x1)}" y1="{_px(y1)}" x2="{_px(x2)}" y2="{_px(y2)}"/>'


def _tick(text: str, x: float, y: float, anchor: str) -> str:
    return f'<text x="{_px(x)}" y="{_px(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def _words(pair: Pair, x: float, y: float, anchor: str) -> str:
    place = f'x="{_px(x)}" y="{_px(y)}" text-anchor="{anchor}"'
    return "".join(
        f'<text class="label {language}" {place}>{escape(pair[language])}</text>' for language in ("en", "zh")
    )


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _svg(width: float, height: float, kind: str, label: str, parts: Sequence[str]) -> Markup:
    role = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    body = "".join(parts)
    return Markup(f'<svg class="{kind}" viewBox="0 0 {width} {height}" {role}>{body}</svg>')
