from __future__ import annotations

import asyncio
import time

import httpx
from fastapi import FastAPI
from tests.serve.fake_client import FakeClient

from wending.engine.errors import EngineDead
from wending.serve.app import create_app


async def test_ok_after_the_first_token(http: httpx.AsyncClient, client: FakeClient) -> None:
    assert client.tokens == 1
    response = await http.get("/health")
    assert response.status_code == 200
    health = response.json()
    assert health["status"] == "ok"
    assert health["model"] == "fake-model"
    assert health["running"] == health["waiting"] == health["kv_blocks_used"] == 0
    assert health["kv_blocks_total"] == 100
    assert health["tokens_generated_total"] == 1
    assert health["seconds_since_last_token"] >= 0
    assert health["produced_lately"] is True
    assert health["producing_now"] is False


async def test_whether_tokens_are_made(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.running.add("r")
    assert (await http.get("/health")).json()["producing_now"] is True
    client.last_token = time.monotonic() - 61
    assert (await http.get("/health")).json()["produced_lately"] is False


async def test_starting_until_then(client: FakeClient) -> None:
    client.start_gate = asyncio.Event()
    app = create_app(client)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://t") as http,
    ):
        response = await http.get("/health")
        assert response.status_code == 503
        assert response.json()["status"] == "starting"
        assert (await http.get("/health/ready")).status_code == 503
        assert (await http.get("/health/live")).json() == {"status": "live"}
        assert int(response.headers["retry-after"]) > 0
        for response in (await http.get("/v1/models"), await http.post("/v1/chat/completions", json={})):
            assert response.status_code == 503
            assert response.json()["error"]["code"] == "starting"
            assert int(response.headers["retry-after"]) > 0
        assert (await http.get("/")).status_code == 200  # the page shows by itself that the model is loading
        client.start_gate.set()
        async with asyncio.timeout(5):
            while (await http.get("/health")).status_code == 503:
                await asyncio.sleep(0.001)
    assert client.closed


async def test_restarting(http: httpx.AsyncClient, client: FakeClient) -> None:
    """Health says no until the new process has made a token; requests are taken and wait for it."""
    client.restarting = True
    response = await http.get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "restarting"
    assert "killed by SIGKILL" in response.json()["reason"]
    assert int(response.headers["retry-after"]) > 0
    ready = await http.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "restarting")
    body = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
    assert (await http.post("/v1/chat/completions", json=body)).status_code == 200
    client.restarting = False
    response = await http.get("/health")
    assert response.status_code == 200
    assert response.json()["restarts_total"] == 0


async def test_dead_engine(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.error = "out of memory"
    response = await http.get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "failed"
    assert "out of memory" in response.json()["reason"]
    assert (await http.get("/health/ready")).status_code == 503
    assert (await http.get("/health/live")).status_code == 200


async def test_engine_that_cannot_start(client: FakeClient) -> None:
    async def refuse() -> None:
        raise EngineDead("no such device")

    client.start = refuse  # type: ignore[method-assign]
    app = create_app(client)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://t") as http,
    ):
        async with asyncio.timeout(5):
            while (health := (await http.get("/health")).json())["status"] == "starting":
                await asyncio.sleep(0.001)
        assert health["status"] == "failed"
        assert "no such device" in health["reason"]


async def test_engine_whose_first_token_fails(client: FakeClient) -> None:
    client.fail_after = 0
    app = create_app(client)
    async with app.router.lifespan_context(app), asyncio.timeout(5):
        while (status := app.state.service.status())[0] == "starting":
            await asyncio.sleep(0.001)
    assert "not finite" in status[1]


async def test_stopping(http: httpx.AsyncClient, app: FastAPI) -> None:
    app.state.service.stopping.set()
    response = await http.get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "stopping"
