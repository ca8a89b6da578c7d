"""The application in this process, run as an operator would have it, and an HTTP client of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from tests.serve.fake_client import FakeClient

from wending.serve.api_keys import ApiKeys
from wending.serve.app import create_app
from wending.serve.operations import Operations

CHAT = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}


def keys(text: str) -> ApiKeys:
    """Keys as the environment variable holds them."""
    return ApiKeys.load(None, {"WENDING_API_KEYS": text})


@asynccontextmanager
async def running_app(
    client: FakeClient, *, api_keys: str = "", **operations: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application once it is ready."""
    app = create_app(
        client, operations=Operations(**operations), keys=keys(api_keys) if api_keys else ApiKeys()
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as http,
    ):
        while app.state.service.status()[0] == "starting":
            await asyncio.sleep(0)
        yield http


async def until_running(client: FakeClient, count: int) -> None:
    """Waits until so many requests are in the engine; the test's time limit ends a wait in vain."""
    while len(client.running) != count:
        await asyncio.sleep(0.001)
