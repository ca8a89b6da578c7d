"""The search for the highest concurrency, with levels that are made up."""

from __future__ import annotations

import pytest

from wending.assess.capacity import Capacity, Level, Objective, find_capacity, judge_level
from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint_errors import Unreachable
from wending.assess.outcomes import Outcomes


def level(concurrency: int, *, held: bool = True, seconds: float = 1.0) -> Level:
    return Level(
        concurrency, max(concurrency, 4), 0, seconds, 0.1, 50.0, True, 100.0, "" if held else "too slow"
    )


async def search(limit: int, *, cap: int = 64, seconds: float = 1e9, per_request: float = 0.0) -> Capacity:
    """Searches an endpoint that holds up to `limit` streams, with a clock that only levels move."""
    left = seconds

    async def measure(concurrency: int) -> Level:
        nonlocal left
        spent = per_request * max(concurrency, 4)
        left -= spent
        return level(concurrency, held=concurrency <= limit, seconds=spent)

    first = level(1, held=limit >= 1, seconds=4 * per_request)
    return await find_capacity(first, measure, lambda: left, cap)


@pytest.mark.parametrize("limit", range(65))
async def test_every_limit_is_found_exactly(limit: int) -> None:
    found = await search(limit)
    assert found.max_concurrency == limit
    assert found.at_least == (limit == 64)
    assert found.stopped_by == ("cap" if limit == 64 else "bracketed")
    assert found.failed_at == (None if limit == 64 else limit + 1)


async def test_the_cap_is_never_exceeded() -> None:
    found = await search(1000, cap=48)
    assert [tried.concurrency for tried in found.levels] == [1, 2, 4, 8, 16, 32, 48]
    assert (found.max_concurrency, found.at_least) == (48, True)


async def test_when_the_time_is_up_the_answer_is_a_lower_bound() -> None:
    found = await search(1000, seconds=20, per_request=1.0)
    assert (found.max_concurrency, found.at_least, found.stopped_by) == (8, True, "time")


async def test_time_up_while_narrowing_down_keeps_what_failed() -> None:
    found = await search(11, seconds=40, per_request=1.0)
    assert (found.max_concurrency, found.failed_at, found.stopped_by) == (8, 16, "time")
    assert not found.at_least


async def test_a_level_that_was_cut_off_says_nothing() -> None:
    async def cut_off(concurrency: int) -> None:
        return None

    found = await find_capacity(level(1), cut_off, lambda: 1e9)
    assert (found.max_concurrency, found.stopped_by, len(found.levels)) == (1, "time", 1)


def outcomes(ttfts: list[float], speed: float = 50.0, errors: int = 0) -> Outcomes:
    """Answers of 11 tokens that came at `speed` tokens per second after the given times to the first."""
    answers = [
        ChatAnswer(0.0, "x", [ttft, ttft + 5 / speed], ttft + 10 / speed, "stop", usage_tokens=11)
        for ttft in ttfts
    ]
    return Outcomes(answers, [Unreachable("gone")] * errors)


def test_a_level_fails_for_each_part_of_the_objective() -> None:
    objective = Objective(max_ttft_s=2.0, min_tokens_per_s=10.0, max_error_rate=0.01)

    def reason(found: Outcomes) -> str:
        return judge_level(2, 1.0, found, objective).reason

    assert reason(outcomes([0.1, 0.2])) == ""
    assert reason(outcomes([0.1, 2.1])) == "TTFT 2.10 s > 2 s"
    assert reason(outcomes([0.1, 0.2], speed=9.0)) == "9.0 tok/s < 10 tok/s"
    assert reason(outcomes([0.1, 0.2], errors=1)) == "1 of 3 requests failed (gone)"
    assert reason(Outcomes([ChatAnswer(0.0, finish_reason="stop", ended=0.1)])) == "no answer had any content"
    # One request in a hundred may fail, and one in twenty may be late.
    assert reason(outcomes([0.1] * 99, errors=1)) == ""
    assert reason(outcomes([0.1] * 97 + [9.0] * 3)) == ""


def test_below_twenty_requests_the_worst_one_counts() -> None:
    few = judge_level(4, 2.0, outcomes([0.1, 0.2, 0.9], speed=20.0), Objective())
    assert (few.ttft_s, few.tokens_per_s, few.worst) == (0.9, pytest.approx(20.0), True)
    assert few.total_tokens_per_s == 33 / 2
    assert not judge_level(20, 2.0, outcomes([0.1] * 20), Objective()).worst


def test_an_empty_answer_is_no_failure_of_capacity() -> None:
    found = outcomes([0.1, 0.2])
    found.answers.append(ChatAnswer(0.0, finish_reason="stop", ended=0.1))
    level = judge_level(3, 1.0, found, Objective())
    assert level.held
    assert level.requests == 3
