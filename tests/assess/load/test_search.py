"""The search for the highest concurrency, with levels that are made up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wending.assess.load.level import Level
from wending.assess.load.search import Capacity, find_capacity


def level(concurrency: int, *, held: bool = True, invalid: str = "") -> Level:
    return Level(
        concurrency=concurrency, requests=20, errors=0, valid=20, seconds=1.0, ttft_s=0.1, tokens_per_s=50.0,
        worst=False, total_tokens_per_s=100.0, answer_s=1.0, unsteady="", decided_early=False,
        send_lag_s=0.0, loop_lag_s=0.0, missed=() if held else ("ttft",), reason="" if held else "too slow",
        invalid=invalid,
    )  # fmt: skip


async def search(
    limit: int,
    *,
    cap: int = 64,
    times: int = 1000,
    invalid: Callable[[int], bool] = lambda concurrency: False,
) -> Capacity:
    """Searches an endpoint that holds up to `limit` streams, with time for so many levels."""
    measured = 0

    async def measure(concurrency: int, confirming: bool) -> Level | None:
        nonlocal measured
        measured += 1
        if measured > times:
            return None
        reason = "10 ms late" if invalid(concurrency) else ""
        return level(concurrency, held=concurrency <= limit, invalid=reason)

    return await find_capacity(level(1, held=limit >= 1), measure, cap)


@pytest.mark.parametrize("limit", range(65))
async def test_every_limit_is_found_exactly_and_confirmed(limit: int) -> None:
    found = await search(limit)
    assert found.max_concurrency == limit
    assert found.at_least == (limit == 64)
    assert found.stopped_by == ("cap" if limit == 64 else "bracketed")
    assert found.failed_at == (None if limit == 64 else limit + 1)
    assert found.confirmations_made == (3 if limit else 0)
    assert sum(tried.confirmation for tried in found.levels) == found.confirmations_made


async def test_the_cap_is_never_exceeded() -> None:
    found = await search(1000, cap=48)
    tried = [level.concurrency for level in found.levels if not level.confirmation]
    assert tried == [1, 2, 4, 8, 16, 32, 48]
    assert (found.max_concurrency, found.at_least) == (48, True)


async def test_when_the_time_is_up_the_answer_is_a_lower_bound() -> None:
    found = await search(1000, times=3)
    assert (found.max_concurrency, found.at_least, found.stopped_by) == (8, True, "time")
    assert found.confirmations_made == 0


async def test_time_up_while_narrowing_down_keeps_what_failed() -> None:
    found = await search(11, times=4)
    assert (found.max_concurrency, found.failed_at, found.stopped_by) == (8, 16, "time")
    assert not found.at_least


async def test_fewer_confirmations_are_made_where_there_is_no_time_for_more() -> None:
    # 2, 4, 8 and 6, 5 find it; one confirmation is left.
    found = await search(5, times=6)
    assert (found.max_concurrency, found.stopped_by, found.confirmations_made) == (5, "bracketed", 1)


async def test_a_level_that_fails_when_it_is_confirmed_did_not_hold() -> None:
    """6 holds by luck at first; what holds every time is 5."""
    seen: list[int] = []

    async def measure(concurrency: int, confirming: bool) -> Level:
        seen.append(concurrency)
        lucky = concurrency == 6 and seen.count(6) == 1
        return level(concurrency, held=concurrency <= 5 or lucky)

    found = await find_capacity(level(1), measure)
    assert (found.max_concurrency, found.failed_at, found.confirmations_made) == (5, 6, 3)
    assert [level.held for level in found.levels if level.concurrency == 6] == [True, False]


async def test_what_the_generator_could_not_drive_is_invalid_and_not_failed() -> None:
    found = await search(1000, invalid=lambda concurrency: concurrency >= 16)
    assert (found.max_concurrency, found.failed_at, found.stopped_by) == (8, None, "generator")
    assert found.at_least
    assert [level.concurrency for level in found.invalid_levels] == [16, 16]
    assert all(level.held for level in found.levels)
    assert found.confirmations_made == 3


async def test_a_level_that_could_not_be_driven_once_is_tried_again() -> None:
    tries = 0

    def invalid(concurrency: int) -> bool:
        nonlocal tries
        tries += concurrency == 4
        return concurrency == 4 and tries == 1

    found = await search(5, invalid=invalid)
    assert (found.max_concurrency, found.failed_at, len(found.invalid_levels)) == (5, 6, 1)


async def test_one_stream_alone_that_could_not_be_driven_is_no_level_that_failed() -> None:
    async def measure(concurrency: int, confirming: bool) -> Level | None:
        return level(concurrency, held=concurrency <= 2)

    found = await find_capacity(level(1, invalid="100 ms late"), measure)
    assert [tried.concurrency for tried in found.invalid_levels] == [1]
    assert all(tried.held or tried.reason for tried in found.levels)
    assert (found.max_concurrency, found.failed_at) == (2, 3)
