from __future__ import annotations

import sys

import pytest

from wending.engine.client import CompletionDelta, TokenLogprob
from wending.engine.delta_stream import MAX_WAITING, DeltaStream
from wending.engine.errors import EngineDead


async def rest(stream: DeltaStream) -> list[CompletionDelta]:
    deltas = []
    while (delta := await stream.get()) is not None:
        deltas.append(delta)
    return deltas


async def test_a_consumer_that_keeps_up_gets_each_delta_by_itself() -> None:
    stream = DeltaStream(2)
    for number in range(3 * MAX_WAITING):
        given = CompletionDelta(number % 2, "x", [number])
        stream.put(given)
        assert await stream.get() is given
    stream.put(CompletionDelta(0, "", [], finish_reason="stop"))
    stream.put(CompletionDelta(1, "", [], finish_reason="length"))
    assert [delta.finish_reason for delta in await rest(stream)] == ["stop", "length"]


@pytest.mark.parametrize("n", [1, 3, 2 * MAX_WAITING])
async def test_what_piles_up_is_merged_and_nothing_lost(n: int) -> None:
    stream = DeltaStream(n)
    count = 10 * MAX_WAITING
    for number in range(count):
        logprob = TokenLogprob(number, "x", [120], -1.0, [])
        is_last = number >= count - n
        reason = "length" if is_last else None
        stream.put(CompletionDelta(number % n, f"{number},", [number], [logprob], reason, seed=7))
    deltas = await rest(stream)
    assert len(deltas) <= MAX_WAITING + n
    for index in range(n):
        mine = [delta for delta in deltas if delta.index == index]
        expected = list(range(index, count, n))
        assert [one for delta in mine for one in delta.token_ids] == expected
        assert "".join(delta.text for delta in mine) == "".join(f"{one}," for one in expected)
        assert [one.token_id for delta in mine for one in delta.logprobs or []] == expected
        assert [delta.finish_reason for delta in mine] == [None] * (len(mine) - 1) + ["length"]
        assert {delta.seed for delta in mine} == {7}


async def test_an_error_that_ends_a_completion_survives_the_merge() -> None:
    stream = DeltaStream(1)
    for number in range(2 * MAX_WAITING):
        stream.put(CompletionDelta(0, "x", [number]))
    stream.put(CompletionDelta(0, "", [], None, "error", "too late", "deadline_exceeded"))
    last = (await rest(stream))[-1]
    assert (last.finish_reason, last.error, last.error_code) == ("error", "too late", "deadline_exceeded")
    assert last.text.startswith("x")


async def test_a_stream_that_fails_gives_what_came_before() -> None:
    stream = DeltaStream(1)
    for number in range(2 * MAX_WAITING):
        stream.put(CompletionDelta(0, "x", [number]))
    stream.fail(EngineDead("gone"))
    for _ in range(MAX_WAITING):
        assert await stream.get() is not None
    with pytest.raises(EngineDead):
        await stream.get()


async def test_a_consumer_that_stands_still_costs_what_its_tokens_cost() -> None:
    stream = DeltaStream(1)
    for number in range(100_000):
        stream.put(CompletionDelta(0, "x", [number], finish_reason="length" if number == 99_999 else None))
    deltas = await rest(stream)
    assert len(deltas) == MAX_WAITING
    assert sum(sys.getsizeof(delta.token_ids) + len(delta.text) for delta in deltas) < 2_000_000
