"""When the requests of an open loop are due: drawn, or as they once arrived somewhere."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
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
    twice as fast. Raises TraceError and OSError.
    """
    if speed <= 0:
        raise ValueError(f"a speed must be positive, got {speed}")
    found: list[tuple[float, int, int]] = []
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows, None)
        for row in rows:
            if not row:
                continue
            try:
                arrival, inputs, outputs = (cell.strip() for cell in row[:3])
                found.append((_seconds(arrival), int(inputs), int(outputs)))
                if found[-1][1] < 1 or found[-1][2] < 1:
                    raise ValueError("a length below 1")
            except ValueError as error:
                where = f"{path}:{rows.line_num}"
                raise TraceError(
                    Bilingual(
                        f"{where}: arrival, input tokens, output tokens are wanted: {error}",
                        f"{where}：需要到达时间、输入 token 数、输出 token 数：{error}",
                    )
                ) from None
            if limit is not None and len(found) == limit:
                break
    if not found:
        raise TraceError(Bilingual(f"{path}: no requests", f"{path}：没有请求"))
    found.sort()
    first = found[0][0]
    return [TracedRequest((arrival - first) / speed, inputs, outputs) for arrival, inputs, outputs in found]


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        # Some traces have seven digits after the point, one more than microseconds have.
        head, point, fraction = text.partition(".")
        return datetime.fromisoformat(f"{head}{point}{fraction[:6]}").timestamp()
