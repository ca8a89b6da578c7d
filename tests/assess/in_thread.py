"""A server in a thread of its own, for what runs an event loop itself and so cannot share the test's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

Server = TypeVar("Server")


@contextmanager
def in_thread(server: AbstractAsyncContextManager[Server]) -> Iterator[Server]:
    """The server runs until the block is left."""
    loop, entered = asyncio.new_event_loop(), threading.Event()
    running: list[Server] = []
    stop = asyncio.Event()

    async def serve() -> None:
        async with server as started:
            running.append(started)
            entered.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert entered.wait(30)
    try:
        yield running[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()
