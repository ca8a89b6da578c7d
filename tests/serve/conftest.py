from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from tests.serve.fake_client import FakeClient

from wending.serve.app import create_app


@pytest.fixture
def client() -> FakeClient:
    """The fake engine; a test may configure it before its first request."""
    return FakeClient()


@pytest.fixture
async def app(client: FakeClient) -> AsyncIterator[FastAPI]:
    """The application, started, its engine warm."""
    app = create_app(client, aliases=["an/alias"])
    async with app.router.lifespan_context(app):
        while app.state.service.status()[0] == "starting":
            await asyncio.sleep(0)
        yield app


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that calls the application in this process."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield http
