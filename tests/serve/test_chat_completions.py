from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.serve.fake_client import FakeClient

from wending.engine.urgency import Urgency

HELLO: dict[str, Any] = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
URL = "/v1/chat/completions"


async def events(http: httpx.AsyncClient, **fields: Any) -> list[Any]:
    """The events of a streamed answer: JSON values, and [DONE] as a string."""
    response = await http.post(URL, json=HELLO | {"stream": True} | fields)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    blocks = response.text.split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") for block in blocks)
    data = [block.removeprefix("data: ") for block in blocks]
    return [item if item == "[DONE]" else json.loads(item) for item in data]


def usage(prompt: int, completion: int, cached: int = 0) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


async def test_whole_answer(http: httpx.AsyncClient, client: FakeClient) -> None:
    response = await http.post(URL, json=HELLO)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert answer["id"].startswith("chatcmpl-")
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "fake-model"
    assert answer["created"] > 1_700_000_000
    assert answer["system_fingerprint"].startswith("fp_")
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": client.reply, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert answer["usage"] == usage(2, len(client.reply))


async def test_defaults_are_openais(http: httpx.AsyncClient, client: FakeClient) -> None:
    await http.post(URL, json=HELLO)
    params = client.params[-1]
    assert (params.temperature, params.top_p, params.top_k, params.repetition_penalty) == (1.0, 1.0, 0, 1.0)
    assert params.max_tokens is None
    assert params.logprobs is None


async def test_every_sampling_field_reaches_the_engine(http: httpx.AsyncClient, client: FakeClient) -> None:
    fields = {
        "temperature": 0.5, "top_p": 0.25, "top_k": 7, "min_p": 0.125, "presence_penalty": -1.5,
        "frequency_penalty": 1.25, "repetition_penalty": 1.5, "seed": 42, "n": 2, "ignore_eos": True,
        "min_tokens": 2,
    }  # fmt: skip
    response = await http.post(
        URL,
        json=HELLO
        | fields
        | {
            "stop": ["x", "y"],
            "stop_token_ids": [3, 4],
            "logit_bias": {"5": -100, "6": 1.5},
            "max_completion_tokens": 3,
            "logprobs": True,
            "top_logprobs": 2,
        },
    )
    assert response.status_code == 200, response.text
    params = client.params[-1]
    assert {name: getattr(params, name) for name in fields} == fields
    assert params.stop == ("x", "y")
    assert params.stop_token_ids == (3, 4)
    assert params.logit_bias == {5: -100, 6: 1.5}
    assert params.max_tokens == 3
    assert params.logprobs == 2


async def test_null_is_the_same_as_absent(http: httpx.AsyncClient, client: FakeClient) -> None:
    names = (
        "temperature", "top_p", "n", "max_tokens", "max_completion_tokens", "stop", "seed",
        "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "stream",
        "stream_options", "user", "metadata", "response_format", "tools", "tool_choice", "top_k", "min_p",
        "repetition_penalty", "stop_token_ids", "ignore_eos", "min_tokens", "store", "audio", "service_tier",
        "reasoning_effort", "wending_report",
    )  # fmt: skip
    response = await http.post(URL, json=HELLO | dict.fromkeys(names))
    assert response.status_code == 200, response.text
    await http.post(URL, json=HELLO)
    assert client.params[-2] == client.params[-1]


async def test_values_that_ask_for_nothing_are_accepted(http: httpx.AsyncClient) -> None:
    response = await http.post(
        URL,
        json=HELLO
        | {
            "response_format": {"type": "text"}, "tools": [], "tool_choice": "none", "store": False,
            "parallel_tool_calls": True, "modalities": ["text"], "service_tier": "auto", "user": "u",
            "metadata": {"a": "b"}, "safety_identifier": "s", "prompt_cache_key": "k",
        },
    )  # fmt: skip
    assert response.status_code == 200, response.text


async def test_messages_reach_the_template(http: httpx.AsyncClient, client: FakeClient) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    messages = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            "name": "Li",
        },
        {"role": "assistant", "content": "你好", "refusal": None, "tool_calls": None, "annotations": []},
        {"role": "developer", "content": "Be briefer."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "42", "tool_call_id": "call_1"},
    ]
    response = await http.post(URL, json=HELLO | {"messages": messages})
    assert response.status_code == 200, response.text
    assert client.conversations[-1] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a\nb", "name": "Li"},
        {"role": "assistant", "content": "你好"},
        {"role": "system", "content": "Be briefer."},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}],
        },
        {"role": "tool", "content": "42", "tool_call_id": "call_1"},
    ]


async def test_long_conversation_is_tokenised_too(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.info.max_context = 100_000
    response = await http.post(URL, json=HELLO | {"messages": [{"role": "user", "content": "长" * 50_000}]})
    assert response.json()["usage"]["prompt_tokens"] == 50_000


async def test_alias_is_accepted_and_the_answer_names_the_model(http: httpx.AsyncClient) -> None:
    response = await http.post(URL, json=HELLO | {"model": "an/alias"})
    assert response.json()["model"] == "fake-model"


async def test_length(http: httpx.AsyncClient, client: FakeClient) -> None:
    answer = (await http.post(URL, json=HELLO | {"max_tokens": 2})).json()
    assert answer["choices"][0]["message"]["content"] == client.reply[:2]
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 2


async def test_max_tokens_beyond_the_context_is_clamped(http: httpx.AsyncClient, client: FakeClient) -> None:
    answer = (await http.post(URL, json=HELLO | {"max_tokens": 10**6, "ignore_eos": True})).json()
    assert answer["usage"]["total_tokens"] == client.info.max_context


async def test_several_choices(http: httpx.AsyncClient, client: FakeClient) -> None:
    answer = (await http.post(URL, json=HELLO | {"n": 3})).json()
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert {choice["message"]["content"] for choice in answer["choices"]} == {client.reply}
    assert answer["usage"]["completion_tokens"] == 3 * len(client.reply)


async def test_logprobs(http: httpx.AsyncClient, client: FakeClient) -> None:
    answer = (
        await http.post(URL, json=HELLO | {"logprobs": True, "top_logprobs": 2, "max_tokens": 1})
    ).json()
    [token] = answer["choices"][0]["logprobs"]["content"]
    assert token == {
        "token": "你",
        "logprob": -0.25,
        "bytes": [228, 189, 160],
        "top_logprobs": [
            {"token": "你", "logprob": -0.25, "bytes": [228, 189, 160]},
            {"token": "a", "logprob": -9999.0, "bytes": [97]},  # was minus infinity, which JSON has not
        ],
    }


async def test_logprobs_without_alternatives(http: httpx.AsyncClient) -> None:
    answer = (await http.post(URL, json=HELLO | {"logprobs": True, "max_tokens": 1})).json()
    assert answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"] == []


async def test_logprob_that_is_no_number(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.logprob = float("nan")
    answer = (await http.post(URL, json=HELLO | {"logprobs": True, "max_tokens": 1})).json()
    assert answer["choices"][0]["logprobs"]["content"][0]["logprob"] == -9999.0


async def test_stream(http: httpx.AsyncClient, client: FakeClient) -> None:
    chunks = await events(http)
    assert chunks.pop() == "[DONE]"
    first = chunks[0]
    assert first["object"] == "chat.completion.chunk"
    assert first["choices"] == [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": "", "refusal": None},
            "logprobs": None,
            "finish_reason": None,
        }
    ]
    assert chunks[-1]["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    contents = [chunk["choices"][0]["delta"]["content"] for chunk in chunks[1:-1]]
    assert contents == list(client.reply)
    for name in ("id", "created", "model", "system_fingerprint"):
        assert len({chunk[name] for chunk in chunks}) == 1
    assert not any("usage" in chunk for chunk in chunks)


async def test_stream_usage(http: httpx.AsyncClient, client: FakeClient) -> None:
    chunks = await events(http, stream_options={"include_usage": True})
    assert chunks.pop() == "[DONE]"
    last = chunks.pop()
    assert last["choices"] == []
    assert last["usage"] == usage(2, len(client.reply))
    assert all(chunk["usage"] is None for chunk in chunks)


async def test_usage_of_each_chunk_of_a_stream(http: httpx.AsyncClient, client: FakeClient) -> None:
    chunks = await events(http, stream_options={"include_usage": True, "continuous_usage_stats": True})
    assert chunks.pop() == "[DONE]"
    said = [chunk["usage"]["completion_tokens"] for chunk in chunks]
    assert said == sorted(said)
    assert (said[0], said[-1]) == (0, len(client.reply))
    # Without include_usage it asks for nothing.
    chunks = await events(http, stream_options={"continuous_usage_stats": True})
    assert not any("usage" in chunk for chunk in chunks[:-1])


async def test_stream_of_several_choices(http: httpx.AsyncClient, client: FakeClient) -> None:
    chunks = await events(http, n=2)
    assert chunks.pop() == "[DONE]"
    for index in range(2):
        own = [chunk["choices"][0] for chunk in chunks if chunk["choices"][0]["index"] == index]
        assert own[0]["delta"]["role"] == "assistant"
        assert "".join(choice["delta"].get("content", "") for choice in own) == client.reply
        assert [choice["finish_reason"] for choice in own] == [None] * (len(own) - 1) + ["stop"]
    order = [chunk["choices"][0]["index"] for chunk in chunks[2:]]
    assert order[:4] == [0, 1, 0, 1]


async def test_stream_logprobs(http: httpx.AsyncClient, client: FakeClient) -> None:
    chunks = await events(http, logprobs=True, top_logprobs=1)
    tokens = [
        token["token"]
        for chunk in chunks[:-1]
        for token in (chunk["choices"][0]["logprobs"] or {"content": []})["content"]
    ]
    assert tokens == list(client.reply)


async def test_tokens_found_in_the_prefix_cache_are_told(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.cached_tokens = 1
    answer = (await http.post(URL, json=HELLO | {"n": 2})).json()
    assert answer["usage"] == usage(2, 2 * len(client.reply), cached=1)
    chunks = await events(http, stream_options={"include_usage": True})
    assert chunks[-2]["usage"] == usage(2, len(client.reply), cached=1)


async def test_a_stream_begins_before_the_first_token(http: httpx.AsyncClient, client: FakeClient) -> None:
    """Nothing is refused any more then; what goes wrong becomes an event."""
    client.fail_after = 0
    chunks = await events(http)
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert "not finite" in chunks[1]["error"]["message"]
    assert len(chunks) == 2


async def test_prompt_longer_than_the_context(http: httpx.AsyncClient, client: FakeClient) -> None:
    messages = [{"role": "user", "content": "x" * 250}]
    for stream in (False, True):
        response = await http.post(URL, json=HELLO | {"messages": messages, "stream": stream})
        assert response.status_code == 400
        error = response.json()["error"]
        assert error["code"] == "context_length_exceeded"
        assert error["param"] == "messages"
        assert "250" in error["message"]
        assert "200" in error["message"]


async def test_refusal_of_the_engine_names_the_field(http: httpx.AsyncClient) -> None:
    response = await http.post(URL, json=HELLO | {"logit_bias": {"1114112": 1}, "stream": True})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "logit_bias"
    assert "1114112" in response.json()["error"]["message"]


async def test_completion_that_fails(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.fail_after = 3
    response = await http.post(URL, json=HELLO)
    assert response.status_code == 500
    assert "not finite" in response.json()["error"]["message"]
    chunks = await events(http)
    assert "not finite" in chunks[-1]["error"]["message"]
    assert chunks[-1]["error"]["type"] == "server_error"
    assert "[DONE]" not in chunks  # nobody may take what came before for a whole answer
    assert client.running == set()


async def test_a_grammar_that_cannot_be_followed_is_the_clients_mistake(
    http: httpx.AsyncClient, client: FakeClient
) -> None:
    client.fail_after, client.error_code = 3, "grammar_too_complex"
    response = await http.post(URL, json=HELLO)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "grammar_too_complex"
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_a_request_that_kills_the_engine_must_not_be_asked_again(
    http: httpx.AsyncClient, client: FakeClient
) -> None:
    client.fail_after, client.error_code = 3, "worker_crashed"
    response = await http.post(URL, json=HELLO)
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "worker_crashed"
    assert response.headers["x-should-retry"] == "false"
    client.error_code = "internal_error"
    assert "x-should-retry" not in (await http.post(URL, json=HELLO)).headers


async def test_priority_and_deadline_reach_the_engine(http: httpx.AsyncClient, client: FakeClient) -> None:
    assert (await http.post(URL, json=HELLO | {"priority": -2, "deadline_s": 1.5})).status_code == 200
    assert (await http.post(URL, json=HELLO)).status_code == 200
    assert client.urgencies[-2:] == [Urgency(-2, 1.5), Urgency()]


async def test_what_misses_its_deadline_is_a_timeout(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.fail_after, client.error_code = 3, "deadline_exceeded"
    response = await http.post(URL, json=HELLO | {"deadline_s": 1})
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "deadline_exceeded"


@pytest.mark.parametrize(
    ("field", "value"), [("priority", 1.5), ("priority", 10**9), ("deadline_s", 0), ("deadline_s", "1")]
)
async def test_impossible_urgencies_name_their_field(http: httpx.AsyncClient, field: str, value: Any) -> None:
    response = await http.post(URL, json=HELLO | {field: value})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == field


async def test_engine_that_dies(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.die_after = 3
    chunks = await events(http)
    assert chunks[-1]["error"]["code"] == "engine_dead"
    assert "killed by the test" in chunks[-1]["error"]["message"]
    response = await http.post(URL, json=HELLO)
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "engine_dead"


async def test_engine_that_dies_during_a_whole_answer(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.die_after = 3
    response = await http.post(URL, json=HELLO)
    assert response.status_code == 503
    assert "killed by the test" in response.json()["error"]["message"]


async def test_defect_of_the_server_tells_nothing_of_its_inside(
    http: httpx.AsyncClient, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> list[int]:
        raise RuntimeError("secret")

    monkeypatch.setattr(client, "encode_chat", fail)
    response = await http.post(URL, json=HELLO)
    assert response.status_code == 500
    assert response.json()["error"]["type"] == "server_error"
    assert "secret" not in response.text


@pytest.mark.parametrize("stream", [False, True])
async def test_shutdown_ends_running_answers(
    http: httpx.AsyncClient, client: FakeClient, app: FastAPI, stream: bool
) -> None:
    client.delay_s = 0.005
    request = HELLO | {"stream": stream, "ignore_eos": True, "max_tokens": 190}
    answer = asyncio.create_task(http.post(URL, json=request))
    while not client.running:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    app.state.service.stopping.set()
    response = await answer
    assert response.status_code == (200 if stream else 503)
    assert "shutting down" in response.text
    assert "[DONE]" not in response.text
    assert client.running == set()
    assert len(client.aborted) == 1
    assert (await http.post(URL, json=HELLO)).status_code == 503


async def test_overload_is_said_at_once(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.overloaded = "2048 requests are in flight, the most that are taken at once"
    for stream in (False, True):
        response = await http.post("/v1/chat/completions", json=HELLO | {"stream": stream})
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) > 0
        error = response.json()["error"]
        assert (error["code"], error["type"]) == ("overloaded", "rate_limit_error")
        assert "2048 requests" in error["message"]
