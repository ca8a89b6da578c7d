from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from tests.serve.guard.scripted_upstream import Reply, ScriptedUpstream, error

from wending.serve.guard.app import create_guard_app
from wending.serve.guard.guard_service import GuardService, GuardSettings
from wending.serve.guard.upstream import Upstream


async def test_models_are_the_upstreams(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    assert (await http.get("/v1/models")).json() == upstream.models
    assert (await http.get("/v1/models/up")).json() == {"id": "up", "owned_by": "them"}
    assert upstream.authorization == ["Bearer secret"] * 2
    missing = await http.get("/v1/models/gpt-4o")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("models", [[], {"data": 3}, "x"])
async def test_an_upstream_that_lists_them_otherwise(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, models: object
) -> None:
    upstream.models = models
    assert (await http.get("/v1/models")).json()["error"]["code"] == "invalid_upstream_answer"


class TestOneModel:
    @pytest.fixture
    def settings(self) -> GuardSettings:
        return GuardSettings(model="other")

    async def test_only_it_is_listed(self, http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
        assert (await http.get("/v1/models")).json()["data"] == [{"id": "other"}]
        assert (await http.get("/v1/models/up")).status_code == 404
        upstream.models_status = 404
        assert (await http.get("/v1/models")).json()["data"] == [{"id": "other", "object": "model"}]


async def test_health_of_an_upstream_that_has_none(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    response = await http.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "upstream": upstream.url}
    upstream.models_status = 500
    response = await http.get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "failed"


async def test_health_of_an_upstream_that_has_one(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.models_status = 500
    upstream.health = Reply([b""])
    assert (await http.get("/health")).status_code == 200
    upstream.health = Reply([b'{"status": "starting", "reason": "The model is being loaded."}'], 503)
    response = await http.get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "starting"
    assert "being loaded" in response.json()["reason"]
    upstream.health = error(500, "x")
    assert (await http.get("/health")).json()["status"] == "failed"


async def test_stopping(http: httpx.AsyncClient, app: FastAPI) -> None:
    app.state.service.stopping.set()
    assert (await http.get("/health")).json()["status"] == "stopping"


class TestNobodyThere:
    @pytest.fixture
    async def app(self) -> AsyncIterator[FastAPI]:
        app = create_guard_app(GuardService(Upstream("http://127.0.0.1:1/v1", "secret"), GuardSettings()))
        async with app.router.lifespan_context(app):
            yield app

    async def test_everything_says_so(self, http: httpx.AsyncClient) -> None:
        health = await http.get("/health")
        assert health.status_code == 503
        assert "cannot be reached" in health.json()["reason"]
        models = await http.get("/v1/models")
        assert models.status_code == 502
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        chat = await http.post("/v1/chat/completions", json=body)
        assert chat.status_code == 502
        assert chat.json()["error"]["code"] == "upstream_unreachable"
        assert "secret" not in health.text + models.text + chat.text
