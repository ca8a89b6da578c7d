"""Ends work that nobody waits for: the client has hung up, or the server is about to go."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from wending.serve.openai_errors import unavailable

T = TypeVar("T")


class ClientHungUp(Exception):  # noqa: N818 - an event, not an error
    """The client closed the connection before its answer was complete."""


async def until_hang_up(work: Coroutine[Any, Any, T], receive: Receive, stopping: asyncio.Event) -> T:
    """The result of `work`, which is cancelled at once if the client hangs up or `stopping` is set.

    `work` has ended, however it ends, when this returns or raises: what it holds in the engine is free. The
    body of the request must have been read. Raises ClientHungUp, APIError 503 on `stopping`, and whatever
    `work` raises.
    """
    worker = asyncio.create_task(work)
    hung_up = asyncio.create_task(_hung_up(receive))
    stopped = asyncio.create_task(stopping.wait())
    tasks = (worker, hung_up, stopped)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if worker.done():
            return worker.result()
        if stopped.done():
            raise unavailable("The server is shutting down.", "shutting_down")
        raise ClientHungUp
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
