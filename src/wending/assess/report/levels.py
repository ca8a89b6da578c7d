"""The single levels of the search for the capacity, as rows of a table: what its charts can be checked by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wending.assess.rate import level_rates
from wending.assess.report.numbers import between, interval_percent, milliseconds, per_second
from wending.assess.report.texts import Pair, pair, same

Level = Mapping[str, Any]

COLUMNS = (
    "level_ttft_p50", "level_ttft_p95", "level_speed_p50", "level_speed_p5", "level_total", "level_goodput",
    "level_errors", "level_valid",
)  # fmt: skip
"""Keys of the titles of a row's cells."""


@dataclass(frozen=True, slots=True)
class Cell:
    words: Pair
    interval: str = ""
    """Its 95 % interval or bounds; "" where the count carries none."""


@dataclass(frozen=True, slots=True)
class LevelRow:
    streams: int
    outcome: Literal["held", "failed", "invalid"]
    cells: tuple[Cell, ...]
    """In the order of COLUMNS."""
    verdict: Pair
    remarks: tuple[Pair, ...]


def level_rows(result: Mapping[str, Any]) -> list[LevelRow]:
    """By streams; of equally many in the order of their measurement, the invalid ones last."""
    rows = [_row(level) for level in result["levels"]]
    rows += [_invalid_row(level) for level in result["invalid_levels"]]
    return sorted(rows, key=lambda row: row.streams)


def _row(level: Level) -> LevelRow:
    ttft, speed = (level.get("distributions", {}).get(name, {}) for name in ("ttft_s", "tokens_per_s"))
    # From the counts, since reports of before have no rates.
    rates = level_rates(level["requests"], level["errors"], level["valid"])
    cells = (
        Cell(same(milliseconds(ttft.get("p50"))), between(ttft.get("p50_bounds"), milliseconds)),
        _slow_end(level, "ttft_s", ttft.get("p95_bounds"), milliseconds),
        Cell(same(per_second(speed.get("p50"))), between(speed.get("p50_bounds"), per_second)),
        _slow_end(level, "tokens_per_s", speed.get("p5_bounds"), per_second),
        Cell(same(per_second(level["total_tokens_per_s"]))),
        *(
            Cell(same(f"{rate['k']}/{rate['n']}"), interval_percent(rate) if rate["n"] else "")
            for rate in rates.values()
        ),
    )
    verdict = pair("level_held")
    if not level["held"]:
        reason = {"en": level["reason"], "zh": level["reason_zh"]}
        verdict = pair("level_failed", reason=reason)
    outcome: Literal["held", "failed"] = "held" if level["held"] else "failed"
    return LevelRow(level["concurrency"], outcome, cells, verdict, tuple(_remarks(level)))


def _invalid_row(level: Level) -> LevelRow:
    reason = {"en": level["reason"], "zh": level["reason_zh"]}
    cells = tuple(Cell(same("–")) for _ in COLUMNS)
    return LevelRow(level["concurrency"], "invalid", cells, pair("level_invalid", reason=reason), ())


def _slow_end(level: Level, key: str, bounds: Any, text: Callable[[float | None], str]) -> Cell:
    """The quantile that the charts show, or the worst value where there are too few for one."""
    value = text(level[key])
    if level["worst"] and level[key] is not None:
        return Cell(pair("level_slowest", value=value))
    return Cell(same(value), between(bounds, text))


def _remarks(level: Level) -> Iterator[Pair]:
    if level["confirmation"]:
        yield pair("level_confirmation")
    if level["decided_early"]:
        yield pair("level_early")
    if level.get("measured_again"):
        yield pair("level_again", reason=level["measured_again"])
    if not level["steady"]:
        reason = level.get("unsteady")
        yield pair("level_unsteady", reason=reason) if reason else pair("level_not_steady")
