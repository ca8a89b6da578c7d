"""The arithmetic of the comparison, from single runs to markdown tables. Touches no engine and no file."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.peers.engines import EngineSpec
from bench.peers.limits import Limits, Shape, seconds_at_the_limit
from bench.peers.works import Work


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure in tok/s that a run of a work gives. `limit` chooses its part of the least possible time."""

    name: str
    speed: Callable[[Work, Mapping[str, Any]], float]
    limit: Callable[[Work, tuple[float, float]], float]


def _all_output(_: Work, run: Mapping[str, Any]) -> float:
    return float(run["output_tokens"] / run["seconds"])


def _prompt(work: Work, run: Mapping[str, Any]) -> float:
    return float(work.sequences * work.prompt_tokens / run["first_token_seconds"])


def _decode(work: Work, run: Mapping[str, Any]) -> float:
    tokens = work.sequences * (work.output_tokens - 1)
    return float(tokens / (run["seconds"] - run["first_token_seconds"]))


def measures_of(work: Work) -> list[Measure]:
    """Output tokens over the whole time; for a work that is about its prompt, the parts one by one."""
    if not work.name.startswith("prompt"):
        prompt = f"{work.prompt_tokens - work.shared_tokens}"
        if work.shared_tokens:
            prompt = f"{work.shared_tokens:,} shared + {prompt}"
        return [
            Measure(
                f"{work.sequences} × ({prompt} → {work.output_tokens})",
                _all_output,
                lambda work, least: work.sequences * work.output_tokens / sum(least),
            )
        ]
    found = [
        Measure(
            f"prompt of {work.prompt_tokens:,}",
            _prompt,
            lambda work, least: work.sequences * work.prompt_tokens / least[0],
        )
    ]
    if work.output_tokens > 1:
        found.append(
            Measure(
                f"one stream at context {work.prompt_tokens:,}",
                _decode,
                lambda work, least: work.sequences * (work.output_tokens - 1) / least[1],
            )
        )
    return found


Runs = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
"""All runs of a cell, (work, engine)."""


def median_speed(measure: Measure, work: Work, runs: Sequence[Mapping[str, Any]]) -> float | None:
    """Median of the runs' tok/s, None without runs."""
    return statistics.median(measure.speed(work, run) for run in runs) if runs else None


def best_peer(own: EngineSpec, speeds: Mapping[str, float], engines: Iterable[EngineSpec]) -> str | None:
    """The fastest engine of others that uses at least as many bits for a weight."""
    rivals = [spec.name for spec in engines if not spec.own and spec.bits >= own.bits and spec.name in speeds]
    return max(rivals, key=speeds.__getitem__, default=None)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def speed_table(runs: Runs, works: Sequence[Work], engines: Sequence[EngineSpec]) -> str:
    """Median tok/s, "(n)" behind it: the number of runs."""
    columns = [(work, measure) for work in works for measure in measures_of(work)]
    lines = [
        _row(["tok/s (runs)", *(measure.name for _, measure in columns)]),
        _row(["---"] * (1 + len(columns))),
    ]
    for spec in engines:
        cells = [spec.title]
        for work, measure in columns:
            found = runs.get((work.name, spec.name), ())
            speed = median_speed(measure, work, found)
            cells.append("–" if speed is None else f"{number(speed)} ({len(found)})")
        lines.append(_row(cells))
    return "\n".join(lines)


def ratio_table(
    runs: Runs, works: Sequence[Work], engines: Sequence[EngineSpec], limits: Limits | None, shape: Shape
) -> str:
    """Each of our precisions against the best peer of at least as many bits, and against the limit."""
    own = [spec for spec in engines if spec.own]
    lines = [
        _row(["work", *(f"{spec.precision.upper()}: ratio, best peer, share of the limit" for spec in own)]),
        _row(["---"] * (1 + len(own))),
    ]
    for work in works:
        for measure in measures_of(work):
            speeds = {
                spec.name: speed
                for spec in engines
                if (speed := median_speed(measure, work, runs.get((work.name, spec.name), ()))) is not None
            }
            cells = [measure.name]
            for spec in own:
                if spec.name not in speeds:
                    cells.append("–")
                    continue
                parts = []
                rival = best_peer(spec, speeds, engines)
                if rival is not None:
                    title = next(other.title for other in engines if other.name == rival)
                    parts.append(f"**{speeds[spec.name] / speeds[rival]:.2f}** {title}")
                if limits is not None:
                    least = seconds_at_the_limit(work, shape, spec.precision, limits)
                    parts.append(f"{speeds[spec.name] / measure.limit(work, least):.0%}")
                cells.append(", ".join(parts) or "–")
            lines.append(_row(cells))
    return "\n".join(lines)


def engine_table(engines: Sequence[EngineSpec], facts: Mapping[str, Mapping[str, Any]]) -> str:
    """Start-up and size of each engine; a dash where it was not measured."""
    lines = [
        _row(["engine", "version", "process start to first token", "installed", "weights"]),
        _row(["---"] * 5),
    ]
    for spec in engines:
        known = facts.get(spec.name, {})
        starts = known.get("start_seconds", [])
        lines.append(
            _row(
                [
                    spec.title,
                    str(known.get("version", "–")),
                    f"{statistics.median(starts):.1f} s ({len(starts)})" if starts else "–",
                    size(known.get("installed_bytes")),
                    size(known.get("model_bytes")),
                ]
            )
        )
    return "\n".join(lines)


def number(value: float) -> str:
    """Three digits, as the spread of the runs allows no more: 1,234 / 123 / 12.3 / 1.23."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def size(count: float | None) -> str:
    if count is None:
        return "–"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
