"""One level of load, judged against the objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.endpoint_errors import OutOfSockets
from wending.assess.load.drive import Drive
from wending.assess.load.objective import Objective
from wending.assess.load.record import RequestRecord
from wending.assess.stats import median, quantile, wilson

Missed = Literal["ttft", "speed", "errors", "answers"]

NONE_ALONE_EITHER = 6
"""Where one stream alone had no valid answer either, so many of both together without one mean that there is
none to be had: an endpoint that gives one in three would have shown one with a chance of 91 %."""
NONE_AT_ALL = 20
"""So many answers of a level without a valid one fail it, however few were valid alone."""


@dataclass(frozen=True, slots=True)
class Level:
    """What `concurrency` requests in flight did; `reason` says what was missed of the objective, "" if
    nothing was.

    `ttft_s` is the 95 % quantile and `tokens_per_s` the 5 % quantile (the slow end) over the requests, or
    the worst of them where `worst` is true; None when no request succeeded. A request that was still without
    a first token when the level was decided counts with the time it had waited. `answer_s` is the median time
    of a whole answer.
    `unsteady` says why its requests did not run in a steady state, "" if they did (see load.steady);
    `measured_again` why a first measurement, in whose place this one stands, did not, "" for a first one.
    `invalid` says why the generator could not drive it; such a level neither held nor failed.
    """

    concurrency: int
    requests: int
    errors: int
    valid: int
    seconds: float
    ttft_s: float | None
    tokens_per_s: float | None
    worst: bool
    total_tokens_per_s: float
    answer_s: float | None
    unsteady: str
    decided_early: bool
    send_lag_s: float
    loop_lag_s: float
    missed: tuple[Missed, ...]
    reason: str
    invalid: str
    confirmation: bool = False
    """True for one that was measured again to confirm the highest that held."""
    measured_again: str = ""
    ttfts: tuple[float, ...] = ()
    """Seconds, of each request; so far, of one that was cut off while it waited."""
    speeds: tuple[float, ...] = ()
    """Tokens per second, of each answer that has a speed."""

    @property
    def steady(self) -> bool:
        return not self.unsteady

    @property
    def held(self) -> bool:
        return not self.reason and not self.invalid


@dataclass(frozen=True, slots=True)
class Alone:
    """How many answers of one stream alone were valid: what those of a level are compared with."""

    valid: int
    answers: int


def judge_level(
    concurrency: int,
    planned: int,
    records: Sequence[RequestRecord],
    loop_lags: Sequence[float],
    objective: Objective,
    *,
    is_valid: Callable[[RequestRecord], bool],
    alone: Alone | None = None,
    unsteady: str = "",
    cut_at: float | None = None,
) -> Level:
    """The verdict on a level of which `planned` requests were to be counted, from all its requests.

    `cut_at` is when those still under way were cut off, None where all could end.
    Raises ValueError when none of them is counted.
    """
    counted = [record for record in records if record.counted]
    if not counted:
        raise ValueError(f"a level of {concurrency} without a counted request")
    began = min(record.answer.sent for record in counted)
    ended = max(record.last_s for record in counted) if cut_at is None else cut_at
    over = [record for record in counted if record.is_over]
    answers = [record for record in over if record.failure is None]
    # One that was cut off without a first token waited at least until then.
    ttfts = [ttft for record in counted if (ttft := _wait(record, ended)) is not None]
    speeds = [speed for record in answers if (speed := record.answer.tokens_per_s) is not None]
    late = sum(ttft > objective.max_ttft_s for ttft in ttfts)
    slow = sum(speed < objective.min_tokens_per_s for speed in speeds)
    worst = quantile(ttfts, 0.95) is None or quantile(speeds, 0.05) is None
    ttft = max(ttfts, default=None) if worst else quantile(ttfts, 0.95)
    speed = min(speeds, default=None) if worst else quantile(speeds, 0.05)
    failures = [record.failure for record in over if record.failure is not None]
    valid = sum(map(is_valid, answers))
    missed: list[tuple[Missed, str]] = []
    if len(failures) > objective.may_fail(planned):
        last = failures[-1]
        missed.append(("errors", Bilingual(
            f"{len(failures)} of {len(over)} requests failed ({last.en})",
            f"{len(over)} 次请求失败 {len(failures)} 次（{last.zh}）",
        )))  # fmt: skip
    if answers and not any(record.answer.content_times for record in counted):
        missed.append(("ttft", Bilingual("no answer had any content", "所有回答均无内容")))
    elif late > objective.may_miss(planned):
        missed.append(("ttft", _too_many(late, len(ttfts), f"TTFT > {objective.max_ttft_s:g} s", ttft, "s")))
    if slow > objective.may_miss(planned):
        limit = f"< {objective.min_tokens_per_s:g} tok/s"
        missed.append(("speed", _too_many(slow, len(speeds), limit, speed, "tok/s")))
    if (worse := _fewer_valid(valid, len(answers), objective, alone)) is not None:
        missed.append(("answers", worse))
    own = next((failure for failure in failures if failure.kind == OutOfSockets.kind), None)
    drive = Drive.of([record.lag_s for record in counted], loop_lags)
    return Level(
        concurrency=concurrency,
        requests=len(over),
        errors=len(failures),
        valid=valid,
        seconds=ended - began,
        ttft_s=ttft,
        tokens_per_s=speed,
        worst=worst,
        total_tokens_per_s=_tokens_within(records, began, ended) / (ended - began) if ended > began else 0.0,
        answer_s=median([record.last_s - record.answer.sent for record in answers]),
        unsteady=unsteady,
        decided_early=len(over) < planned,
        send_lag_s=drive.send_lag_s,
        loop_lag_s=drive.loop_lag_s,
        missed=tuple(key for key, _ in missed),
        reason=Bilingual(
            "; ".join(words for _, words in missed), "；".join(chinese(words) for _, words in missed)
        ),
        invalid=Bilingual(own.en, own.zh) if own is not None else drive.fault(objective.max_ttft_s) or "",
        ttfts=tuple(ttfts),
        speeds=tuple(speeds),
    )


def _too_many(count: int, of: int, limit: str, figure: float | None, unit: str) -> Bilingual:
    shown = "–" if figure is None else f"{figure:.2f} s" if unit == "s" else f"{figure:.1f} {unit}"
    return Bilingual(
        f"{count} of {of} requests {limit} ({shown})", f"{of} 次请求中 {count} 次 {limit}（{shown}）"
    )


def _fewer_valid(valid: int, answers: int, objective: Objective, alone: Alone | None) -> Bilingual | None:
    """What is wrong with the share of valid answers, if anything is."""
    if not answers:
        return None
    share = objective.min_valid_share
    if share is not None:
        if valid >= share * answers:
            return None
        return Bilingual(f"{valid} of {answers} answers valid, {share:.0%} wanted",
                         f"{answers} 个回答中 {valid} 个有效，要求 {share:.0%}")  # fmt: skip
    alone = alone or Alone(0, 0)
    enough = NONE_AT_ALL if alone.valid else NONE_ALONE_EITHER - alone.answers
    if not valid and answers >= enough:
        return Bilingual(f"none of {answers} answers valid", f"{answers} 个回答全部无效")
    here = wilson(valid, answers)
    there = wilson(alone.valid, alone.answers)
    if here is None or there is None or here.high >= there.low:
        return None
    return Bilingual(
        f"{valid} of {answers} answers valid, alone {alone.valid} of {alone.answers}",
        f"{answers} 个回答中 {valid} 个有效，单路时 {alone.answers} 个中 {alone.valid} 个",
    )


def _wait(record: RequestRecord, ended: float) -> float | None:
    """Seconds to the first token, or so far; None for a failure and for an answer without content."""
    if record.failure is not None:
        return None
    if record.answer.content_times or record.is_over:
        return record.answer.ttft_s
    return max(ended - record.answer.sent, 0.0)


def _tokens_within(records: Sequence[RequestRecord], began: float, ended: float) -> float:
    """Tokens that arrived in a time, also those of requests that are not counted.

    The tokens of an answer are taken to be spread evenly over its events.
    """
    tokens = 0.0
    for record in records:
        times = record.answer.content_times
        if times:
            within = sum(began <= time <= ended for time in times)
            tokens += record.answer.tokens * within / len(times)
    return tokens
