"""The official openai client over a real server: it must find nothing missing and nothing strange."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server

REPLY = "春眠不觉晓，處處聞啼鳥。🐦 Résumé: naïve."


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(FakeClient(REPLY)) as server:
        yield server


@pytest.fixture
def sync_client(server: LiveServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def async_client(server: LiveServer) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)


def hello(**fields: Any) -> dict[str, Any]:
    return {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]} | fields


def test_whole(sync_client: openai.OpenAI) -> None:
    answer = sync_client.chat.completions.create(**hello())
    assert answer.choices[0].message.content == REPLY
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == len(REPLY)


def test_stream_equals_whole(sync_client: openai.OpenAI) -> None:
    options = {"include_usage": True}
    chunks = list(sync_client.chat.completions.create(**hello(stream=True, stream_options=options)))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == REPLY
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == len(REPLY) + 2


def test_stream_helper_accumulates_the_same(sync_client: openai.OpenAI) -> None:
    with sync_client.chat.completions.stream(**hello(n=2, logprobs=True, top_logprobs=1)) as stream:
        final = stream.get_final_completion()
    assert [choice.message.content for choice in final.choices] == [REPLY, REPLY]
    assert final.choices[0].logprobs is not None
    assert final.choices[0].logprobs.content is not None
    assert "".join(token.token for token in final.choices[0].logprobs.content) == REPLY


def test_closing_a_stream_stops_the_request(server: LiveServer, sync_client: openai.OpenAI) -> None:
    server.client.delay_s = 0.01
    with sync_client.chat.completions.create(**hello(stream=True, extra_body={"ignore_eos": True})) as stream:
        next(iter(stream))
    server.client.delay_s = 0


def test_extensions(sync_client: openai.OpenAI, server: LiveServer) -> None:
    extra = {"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.1, "stop_token_ids": [1], "ignore_eos": True}
    sync_client.chat.completions.create(**hello(extra_body=extra))
    params = server.client.params[-1]
    assert (params.top_k, params.min_p, params.repetition_penalty) == (5, 0.1, 1.1)


def test_models(sync_client: openai.OpenAI) -> None:
    [model] = sync_client.models.list().data
    assert sync_client.models.retrieve(model.id).id == "fake-model"


def test_errors_become_the_clients_exceptions(sync_client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as bad:
        sync_client.chat.completions.create(**hello(temperature=3))
    assert bad.value.param == "temperature"
    assert bad.value.code == "invalid_value"
    with pytest.raises(openai.NotFoundError) as missing:
        sync_client.chat.completions.create(**hello(model="gpt-4o"))
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as long:
        sync_client.chat.completions.create(
            model="fake-model", messages=[{"role": "user", "content": "x" * 300}], stream=True
        )
    assert long.value.code == "context_length_exceeded"


def test_error_in_a_stream(sync_client: openai.OpenAI, server: LiveServer) -> None:
    server.client.fail_after = 2
    try:
        with pytest.raises(openai.APIError, match="not finite"):
            list(sync_client.chat.completions.create(**hello(stream=True)))
    finally:
        server.client.fail_after = None


async def test_async_whole_and_stream(async_client: openai.AsyncOpenAI) -> None:
    async with async_client:
        answer = await async_client.chat.completions.create(**hello())
        stream = await async_client.chat.completions.create(**hello(stream=True))
        parts = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(parts) == answer.choices[0].message.content == REPLY
