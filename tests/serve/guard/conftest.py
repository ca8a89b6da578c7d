from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI
from tests.serve.guard.scripted_upstream import ScriptedUpstream, scripted_upstream

from wending.serve.guard import retries
from wending.serve.guard.app import create_guard_app
from wending.serve.guard.guard_service import GuardService, GuardSettings
from wending.serve.guard.upstream import Upstream


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.001)


@pytest.fixture(scope="module")
def running_upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(running_upstream: ScriptedUpstream) -> ScriptedUpstream:
    """The endpoint behind the guard, which a test tells what to answer."""
    ScriptedUpstream.__init__(running_upstream)
    return running_upstream


@pytest.fixture
def settings() -> GuardSettings:
    return GuardSettings()


@pytest.fixture
async def app(upstream: ScriptedUpstream, settings: GuardSettings) -> AsyncIterator[FastAPI]:
    app = create_guard_app(GuardService(Upstream(upstream.url, "secret"), settings))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
        yield http
