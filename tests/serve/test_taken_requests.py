from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from wending.serve.taken_requests import TakenRequests


class Source:
    """Yields numbers; `refusal` comes before the first, `failure` behind the last."""

    def __init__(
        self, items: list[int], refusal: Exception | None = None, failure: Exception | None = None
    ) -> None:
        self.items, self.refusal, self.failure = items, refusal, failure
        self.open = False

    async def run(self) -> AsyncGenerator[int, None]:
        self.open = True
        try:
            if self.refusal is not None:
                raise self.refusal
            for item in self.items:
                await asyncio.sleep(0)
                yield item
            if self.failure is not None:
                raise self.failure
        finally:
            self.open = False


async def test_all_items_in_the_order_of_each() -> None:
    taken = await TakenRequests.begin([Source([1, 2, 3]).run(), Source([]).run(), Source([11, 12]).run()])
    async with aclosing(taken):
        items = [item async for item in taken]
    assert sorted(items) == [1, 2, 3, 11, 12]
    assert [item for item in items if item < 10] == [1, 2, 3]


async def test_they_run_before_anybody_iterates_and_end_when_it_is_closed() -> None:
    sources = [Source([1] * 100), Source([2] * 100)]
    taken = await TakenRequests.begin([source.run() for source in sources])
    assert all(source.open for source in sources)
    await taken.aclose()
    assert not any(source.open for source in sources)
    await taken.aclose()


async def test_a_refusal_is_raised_at_once_and_takes_the_others_back() -> None:
    sources = [Source([1] * 100), Source([], refusal=ValueError("no"))]
    with pytest.raises(ValueError, match="no"):
        await TakenRequests.begin([source.run() for source in sources])
    assert not any(source.open for source in sources)


async def test_a_failure_comes_behind_the_items_before_it() -> None:
    taken = await TakenRequests.begin([Source([1, 2], failure=ValueError("late")).run()])
    assert [await anext(taken), await anext(taken)] == [1, 2]
    with pytest.raises(ValueError, match="late"):
        await anext(taken)
