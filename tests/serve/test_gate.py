"""Who is let in: keys, limits of requests at once, and no new work while the server stops."""

from __future__ import annotations

import asyncio

import httpx
import openai
import pytest
from fastapi import FastAPI
from tests.serve.fake_client import FakeClient
from tests.serve.running_app import CHAT, running_app, until_running

KEYS = "alice sk-alice, bob sk-bob"
ALICE, BOB = {"Authorization": "Bearer sk-alice"}, {"Authorization": "bearer  sk-bob "}


async def test_a_key_opens_everything(client: FakeClient) -> None:
    async with running_app(client, api_keys=KEYS) as http:
        for headers in (ALICE, BOB):
            assert (await http.get("/health", headers=headers)).status_code == 200
            assert (await http.get("/v1/models", headers=headers)).status_code == 200
            assert (await http.post("/v1/chat/completions", json=CHAT, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (None, 'Bearer realm="wending"'),
        ("", 'Bearer realm="wending"'),
        ("Bearer ", 'Bearer realm="wending"'),
        ("Basic sk-alice", 'Bearer realm="wending"'),
        ("sk-alice", 'Bearer realm="wending"'),
        ("Bearer sk-alicf", 'Bearer realm="wending", error="invalid_token"'),
        ("Bearer alice", 'Bearer realm="wending", error="invalid_token"'),
        ("Bearer sk-alice, sk-bob", 'Bearer realm="wending", error="invalid_token"'),
        ("Bearer ÿ", 'Bearer realm="wending", error="invalid_token"'),
    ],
)
async def test_without_a_key_nothing_is_answered(
    client: FakeClient, authorization: str | None, challenge: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    async with running_app(client, api_keys=KEYS) as http:
        for method, path in (
            *(("GET", "/health"), ("GET", "/v1/models"), ("GET", "/v1/models/x"), ("GET", "/nowhere")),
            *(("POST", "/v1/chat/completions"), ("OPTIONS", "/v1/models"), ("GET", "/health/ready")),
            *(("GET", "/web"), ("GET", "/metrics"), ("GET", "/health/live/")),
        ):
            response = await http.request(method, path, headers=headers)
            assert response.status_code == 401, path
            assert response.headers["www-authenticate"] == challenge
            error = response.json()["error"]
            assert error["code"] == "invalid_api_key"
            assert error["type"] == "invalid_request_error"
            assert "sk-" not in error["message"]
    assert len(client.conversations) == 0


async def test_the_page_loads_before_a_key_is_typed(client: FakeClient) -> None:
    async with running_app(client, api_keys=KEYS) as http:
        assert (await http.get("/")).status_code == 200
        assert (await http.get("/web/app.js")).status_code == 200
        assert (await http.get("/web/../v1/models")).status_code in (401, 404)
        assert (await http.get("/web/%2e%2e/v1/models")).status_code in (401, 404)
        assert (await http.get("/health/live")).status_code != 401


async def test_without_keys_any_key_will_do(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/models", headers=ALICE)).status_code == 200


async def test_openai_s_library_knows_the_refusal(client: FakeClient) -> None:
    async with running_app(client, api_keys=KEYS) as http:
        asking = openai.AsyncOpenAI(base_url="http://test/v1", api_key="sk-no", http_client=http)
        with pytest.raises(openai.AuthenticationError) as error:
            await asking.models.list()
        assert error.value.code == "invalid_api_key"


async def test_each_key_has_its_own_limit(client: FakeClient) -> None:
    async with running_app(client, api_keys=KEYS, max_requests_per_key=2) as http:
        client.delay_s = 60

        def ask(headers: dict[str, str], **fields: object) -> asyncio.Task[httpx.Response]:
            return asyncio.create_task(http.post("/v1/chat/completions", json=CHAT | fields, headers=headers))

        alice = [ask(ALICE), ask(ALICE, stream=True)]
        await until_running(client, 2)
        refused = await ask(ALICE)
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert "'alice' has 2 requests in progress" in refused.json()["error"]["message"]
        assert int(refused.headers["retry-after"]) > 0
        assert (await http.get("/v1/models", headers=ALICE)).status_code == 200
        bob = ask(BOB)
        await until_running(client, 3)
        alice[0].cancel()
        await until_running(client, 2)
        again = ask(ALICE)
        await until_running(client, 3)
        for task in (*alice, bob, again):
            task.cancel()
        await asyncio.gather(*alice, bob, again, return_exceptions=True)


async def test_a_limit_over_all(client: FakeClient) -> None:
    async with running_app(client, max_requests=3) as http:
        client.delay_s = 60
        tasks = [asyncio.create_task(http.post("/v1/chat/completions", json=CHAT)) for _ in range(3)]
        await until_running(client, 3)
        refused = await http.post("/v1/chat/completions", content=b"this is not even looked at")
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "overloaded"
        assert int(refused.headers["retry-after"]) > 0
        assert (await http.get("/health")).status_code == 200
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        client.delay_s = 0
        assert (await http.post("/v1/chat/completions", json=CHAT)).status_code == 200


async def test_a_refused_request_gives_its_place_back(client: FakeClient) -> None:
    async with running_app(client, max_requests=1) as http:
        for _ in range(3):
            assert (await http.post("/v1/chat/completions", json={})).status_code == 400


async def test_no_new_work_while_the_server_stops(app: FastAPI, http: httpx.AsyncClient) -> None:
    app.state.service.draining = True
    refused = await http.post("/v1/chat/completions", json=CHAT)
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "shutting_down"
    assert refused.headers["connection"] == "close"
    health = await http.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "stopping")
