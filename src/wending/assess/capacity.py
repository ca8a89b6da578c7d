"""The highest concurrency that keeps an objective: a doubling ramp, then bisection.

It knows nothing of HTTP: the caller measures a level and says what the next one would cost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.outcomes import Outcomes
from wending.assess.stats import quantile

CAP = 64
"""Highest concurrency that is tried."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What every level must keep. Below 20 requests the worst one stands for the 95 % quantile."""

    max_ttft_s: float = 2.0
    min_tokens_per_s: float = 10.0
    max_error_rate: float = 0.01


@dataclass(frozen=True, slots=True)
class Level:
    """What `concurrency` requests in flight did; `reason` names what was missed of the objective, "" if none.

    `ttft_s` is the 95 % quantile and `tokens_per_s` the 5 % quantile (the slow end) over the requests, or
    the worst of them where `worst` is true; None when no request succeeded.
    """

    concurrency: int
    requests: int
    errors: int
    seconds: float
    ttft_s: float | None
    tokens_per_s: float | None
    worst: bool
    total_tokens_per_s: float
    reason: str

    @property
    def held(self) -> bool:
        return not self.reason


@dataclass(slots=True)
class Capacity:
    """`max_concurrency` held (0: not even one stream did); `failed_at` is the lowest level that did not.

    `stopped_by`: "bracketed" (the next higher level failed), "cap" or "time"; in the last two cases,
    without a `failed_at`, the true value may be higher.
    """

    max_concurrency: int = 0
    failed_at: int | None = None
    stopped_by: Literal["bracketed", "cap", "time"] = "time"
    levels: list[Level] = field(default_factory=list)

    @property
    def at_least(self) -> bool:
        return self.failed_at is None


def judge_level(concurrency: int, seconds: float, outcomes: Outcomes, objective: Objective) -> Level:
    """The verdict on `concurrency` requests in flight; `seconds` is how long all of them took together."""
    ttfts, speeds = outcomes.ttfts, outcomes.speeds
    requests, errors = outcomes.requests, len(outcomes.errors)
    worst = quantile(ttfts, 0.95) is None or quantile(speeds, 0.05) is None
    ttft = max(ttfts, default=None) if worst else quantile(ttfts, 0.95)
    speed = min(speeds, default=None) if worst else quantile(speeds, 0.05)
    missed: list[str] = []
    if errors > objective.max_error_rate * requests:
        last = outcomes.errors[-1]
        missed.append(
            Bilingual(
                f"{errors} of {requests} requests failed ({last})",
                f"{requests} 次请求失败 {errors} 次（{last}）",
            )
        )
    if ttft is None:
        missed.append(Bilingual("no answer had any content", "所有回答均无内容"))
    elif ttft > objective.max_ttft_s:
        missed.append(f"TTFT {ttft:.2f} s > {objective.max_ttft_s:g} s")
    if speed is not None and speed < objective.min_tokens_per_s:
        missed.append(f"{speed:.1f} tok/s < {objective.min_tokens_per_s:g} tok/s")
    return Level(
        concurrency=concurrency,
        requests=requests,
        errors=errors,
        seconds=seconds,
        ttft_s=ttft,
        tokens_per_s=speed,
        worst=worst,
        total_tokens_per_s=sum(outcomes.token_counts) / seconds if seconds > 0 else 0.0,
        reason=Bilingual("; ".join(missed), "；".join(map(chinese, missed))),
    )


def requests_of(concurrency: int) -> int:
    """Requests that a level sends: each stream one, and a few more where there are hardly any streams."""
    return max(concurrency, 4)


async def find_capacity(
    first: Level,
    measure: Callable[[int], Awaitable[Level | None]],
    seconds_left: Callable[[], float],
    cap: int = CAP,
) -> Capacity:
    """Searches upwards from `first` (concurrency 1).

    `measure(c)` gives None when it had to be cut off by the time budget. A level is not begun when, at the
    pace of the one before, it would take longer than `seconds_left()`.
    """
    found = Capacity(levels=[first])
    if first.held:
        found.max_concurrency = 1
    else:
        found.failed_at = 1
    last = first
    while True:
        if found.failed_at is not None and found.failed_at - found.max_concurrency <= 1:
            found.stopped_by = "bracketed"
            return found
        if found.max_concurrency >= cap:
            found.stopped_by = "cap"
            return found
        if found.failed_at is None:
            concurrency = min(2 * found.max_concurrency, cap)
        else:
            concurrency = (found.max_concurrency + found.failed_at) // 2
        expected_seconds = last.seconds / last.requests * requests_of(concurrency)
        level = await measure(concurrency) if expected_seconds <= seconds_left() else None
        if level is None:
            found.stopped_by = "time"
            return found
        found.levels.append(level)
        last = level
        if level.held:
            found.max_concurrency = concurrency
        else:
            found.failed_at = concurrency
