from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.serve.fake_client import FakeClient

from wending.serve.app import create_app

HELLO: dict[str, Any] = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
ASK = {"X-Wending-Report": "1"}


async def test_none_unless_asked_for(http: httpx.AsyncClient) -> None:
    assert "wending" not in (await http.post(CHAT, json=HELLO)).json()
    assert "wending" not in (await http.post(CHAT, json=HELLO | {"wending_report": False})).json()
    assert "wending" not in (await http.post(CHAT, json=HELLO, headers={"X-Wending-Report": "0"})).json()


async def test_what_was_effectively_used(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.cached_tokens = 1
    fields = {"temperature": 0.5, "stop": "x", "logit_bias": {"5": 1}, "max_tokens": 4, "min_tokens": 2}
    by_header = (await http.post(CHAT, json=HELLO | fields, headers=ASK)).json()["wending"]
    by_field = (await http.post(CHAT, json=HELLO | fields | {"wending_report": True})).json()["wending"]
    assert by_header == by_field
    assert by_header == {
        "sampling": {
            "temperature": 0.5,
            "top_p": 1.0,
            "top_k": 0,
            "min_p": 0.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "repetition_penalty": 1.0,
            "logit_bias": {"5": 1.0},
            "stop": ["x"],
            "stop_token_ids": [],
            "ignore_eos": False,
            "min_tokens": 2,
        },
        "constrained_by": None,
        "generation_config": "none",
        "engine_restarts": 0,
        "seed": 7,
        "cached_tokens": 1,
        "max_tokens": 4,
        "max_tokens_clamped": False,
        "conversation": {
            "context_policy": "refuse",
            "dropped_turns": 0,
            "restated_system": 0,
            "continued": [0],
            "cut": [{"characters": 0, "tokens": 0}],
        },
    }


@pytest.mark.parametrize(
    ("asked", "effective", "clamped"), [(None, 198, False), (198, 198, False), (199, 198, True)]
)
async def test_clamped_max_tokens(
    http: httpx.AsyncClient, asked: int | None, effective: int, clamped: bool
) -> None:
    report = (await http.post(CHAT, json=HELLO | {"max_tokens": asked}, headers=ASK)).json()["wending"]
    assert (report["max_tokens"], report["max_tokens_clamped"]) == (effective, clamped)


async def test_restarts_since_the_request_began(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.restarts_after = 3
    report = (await http.post(CHAT, json=HELLO, headers=ASK)).json()["wending"]
    assert report["engine_restarts"] == 1


@pytest.mark.parametrize("include_usage", [False, True])
@pytest.mark.parametrize("url", [CHAT, TEXT])
async def test_the_last_chunk_of_a_stream_has_it(
    http: httpx.AsyncClient, url: str, include_usage: bool
) -> None:
    asked = HELLO if url == CHAT else {"model": "fake-model", "prompt": "Hi"}
    options = {"stream_options": {"include_usage": True}} if include_usage else {}
    whole = (await http.post(url, json=asked | {"wending_report": True})).json()
    text = (await http.post(url, json=asked | {"stream": True} | options, headers=ASK)).text
    *chunks, done = [block.removeprefix("data: ") for block in text.removesuffix("\n\n").split("\n\n")]
    assert done == "[DONE]"
    last = json.loads(chunks[-1])
    assert last["choices"] == []
    assert last["wending"] == whole["wending"]
    assert last.get("usage") == (whole["usage"] if include_usage else None)
    assert not any("wending" in json.loads(chunk) for chunk in chunks[:-1])


async def test_several_prompts(http: httpx.AsyncClient) -> None:
    asked = {"model": "fake-model", "prompt": ["a", "bcd"], "max_tokens": 198, "wending_report": True}
    report = (await http.post(TEXT, json=asked)).json()["wending"]
    assert [one["max_tokens_clamped"] for one in report["prompts"]] == [False, True]
    assert "seed" in report["prompts"][0]
    assert "seed" not in report


async def test_generation_config_of_the_model(client: FakeClient) -> None:
    """Its values count where the request has none, and the report tells so."""
    client.info.generation_config = SimpleNamespace(  # type: ignore[assignment]
        temperature=0.7, top_p=0.8, top_k=20, min_p=0.0, repetition_penalty=1.05
    )
    app = create_app(client, generation_config="model")
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://t") as http,
    ):
        async with asyncio.timeout(5):
            while (await http.get("/health")).status_code != 200:
                await asyncio.sleep(0.001)
        answer = (await http.post(CHAT, json=HELLO | {"temperature": 0, "top_k": None}, headers=ASK)).json()
    assert answer["wending"]["generation_config"] == "model"
    assert answer["wending"]["sampling"]["temperature"] == 0
    params = client.params[-1]
    assert (params.temperature, params.top_p, params.top_k, params.repetition_penalty) == (0, 0.8, 20, 1.05)


async def test_generation_config_that_no_request_could_have_is_said_at_the_start(client: FakeClient) -> None:
    client.info.generation_config = SimpleNamespace(  # type: ignore[assignment]
        temperature=0.7, top_p=0.0, top_k=20, min_p=0.0, repetition_penalty=1.05
    )
    app = create_app(client, generation_config="model")
    async with app.router.lifespan_context(app):
        async with asyncio.timeout(5):
            while (status := app.state.service.status())[0] == "starting":
                await asyncio.sleep(0.001)
    assert status[0] == "failed"
    assert "generation_config.json: top_p: must be greater than 0" in status[1]
