"""When the requests of an open loop are due: drawn, or as they once arrived somewhere."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random

from wending.assess.bilingual import Bilingual


class TraceError(ValueError):
    """A trace that cannot be replayed; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """`arrival_s` is counted from the first request of the trace."""

    arrival_s: float
    input_tokens: int
    output_tokens: int


def poisson_arrivals(rate: float, seconds: float, seed: int) -> tuple[float, ...]:
    """Times within `seconds` at which a Poisson process of `rate` per second has its events.

    The gaps are independent and exponential, so that some requests come close together: a steady rate would
    be kinder to an endpoint than people are. Raises ValueError for a rate that is not positive.
    """
    if rate <= 0:
        raise ValueError(f"a rate must be positive, got {rate}")
    random, arrivals, now = Random(f"arrivals/{seed}"), [], 0.0
    while (now := now + random.expovariate(rate)) < seconds:
        arrivals.append(now)
    return tuple(arrivals)


def read_trace(path: Path, *, speed: float = 1.0, limit: int | None = None) -> list[TracedRequest]:
    """A CSV file with a head and three columns: arrival, input tokens, output tokens.

    Arrivals are seconds, or dates with a time (ISO 8601); rows may come in any order. `speed` 2 plays it
    twice as fast. Raises TraceError, and ValueError for a speed that is not positive.
    """
    if speed <= 0:
        raise ValueError(f"a speed must be positive, got {speed}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            found = list(islice(_rows(path, file), limit))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error.reason
        raise TraceError(Bilingual(f"{path}: {why}", f"{path}：{why}")) from None
    if not found:
        raise TraceError(Bilingual(f"{path}: no requests", f"{path}：没有请求"))
    found.sort()
    first = found[0][0]
    return [TracedRequest((arrival - first) / speed, inputs, outputs) for arrival, inputs, outputs in found]


def _rows(path: Path, file: Iterable[str]) -> Iterator[tuple[float, int, int]]:
    """(arrival in seconds, input tokens, output tokens) of every line after the head."""
    rows = csv.reader(file)
    next(rows, None)
    for row in rows:
        if not row:
            continue
        try:
            arrival, inputs, outputs = (cell.strip() for cell in row[:3])
            found = (_seconds(arrival), int(inputs), int(outputs))
            if min(found[1:]) < 1:
                raise ValueError("a length below 1")
        except ValueError as error:
            where = f"{path}:{rows.line_num}"
            raise TraceError(
                Bilingual(
                    f"{where}: arrival, input tokens, output tokens are wanted: {error}",
                    f"{where}：需要到达时间、输入 token 数、输出 token 数：{error}",
                )
            ) from None
        yield found


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        # Without a time zone all are taken as UTC, which knows no summer time.
        arrival = datetime.fromisoformat(text)
        return (arrival if arrival.tzinfo else arrival.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(seconds):
        raise ValueError(f"{text} is no time")
    return seconds
