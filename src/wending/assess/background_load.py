"""Other requests beside those that are looked at: long answers, one after the other, on several streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError
from wending.assess.performance_requests import REQUEST_TYPES
from wending.assess.seeds import derive_seed

PAUSE_AFTER_ERROR_S = 0.5
"""An endpoint that refuses is not stormed."""


@asynccontextmanager
async def background_load(client: EndpointClient, streams: int, seed: int) -> AsyncIterator[None]:
    """While the block runs, so many streams ask for answers of all kinds. Their errors do not count."""

    async def ask(stream: int) -> None:
        number = stream
        while True:
            request = REQUEST_TYPES[number % len(REQUEST_TYPES)]
            try:
                await client.chat(
                    [{"role": "user", "content": request.prompt(number)}],
                    max_tokens=request.max_tokens,
                    temperature=0.7,
                    top_p=0.9,
                    seed=derive_seed(seed, "background", number),
                    patience_s=0,
                )
            except EndpointError:
                await asyncio.sleep(PAUSE_AFTER_ERROR_S)
            number += streams

    tasks = [asyncio.create_task(ask(stream)) for stream in range(streams)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
