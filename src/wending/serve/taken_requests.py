"""Requests that the engine has taken, and their deltas as one run of items."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class TakenRequests(Generic[T]):
    """What several generators yield, as it comes. They begin at once and are an item each ahead.

    Iterating raises what one of them raises, behind the items before it. Whoever has one must close it
    (`contextlib.aclosing`), which closes the generators.
    """

    def __init__(self, generators: Sequence[AsyncGenerator[T, None]]) -> None:
        self._queue: asyncio.Queue[tuple[T] | Exception | None] = asyncio.Queue(maxsize=len(generators))
        self._failure: Exception | None = None
        self._without_item = len(generators)
        self._all_have_begun = asyncio.Event()
        self._running = len(generators)
        self._tasks = [asyncio.create_task(self._forward(generator)) for generator in generators]

    @classmethod
    async def begin(cls, generators: Sequence[AsyncGenerator[T, None]], until_first: bool = False) -> Self:
        """Have the engine take them all, or raise what it says against one of them.

        The first item may be long in coming; an answer can begin before it, for nothing is refused any more.
        `until_first`: wait for it all the same, because a constraint takes longer to be looked at.
        """
        taken = cls(generators)
        await asyncio.sleep(0)  # lets each task begin: a request is looked at in its first step
        if until_first:
            try:
                await taken._all_have_begun.wait()
            except asyncio.CancelledError:
                await taken.aclose()
                raise
        if taken._failure is not None:
            await taken.aclose()
            raise taken._failure
        return taken

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while self._running:
            found = await self._queue.get()
            if isinstance(found, Exception):
                raise found
            if found is not None:
                return found[0]
            self._running -= 1
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close the generators; a second call does nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _forward(self, generator: AsyncGenerator[T, None]) -> None:
        try:
            has_begun = False
            async with aclosing(generator):
                async for item in generator:
                    if not has_begun:
                        has_begun = True
                        self._note_begin()
                    await self._queue.put((item,))
            await self._queue.put(None)
        except Exception as error:
            self._failure = error
            self._all_have_begun.set()
            await self._queue.put(error)

    def _note_begin(self) -> None:
        self._without_item -= 1
        if not self._without_item:
            self._all_have_begun.set()
