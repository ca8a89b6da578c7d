from __future__ import annotations

import json
import math
from typing import Any

import httpx
import openai
import pytest
from fastapi import FastAPI
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server

URL = "/v1/completions"
HELLO: dict[str, Any] = {"model": "fake-model", "prompt": "Hi", "max_tokens": 100}


async def whole(http: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await http.post(URL, json=HELLO | fields)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def chunks(http: httpx.AsyncClient, **fields: Any) -> list[dict[str, Any]]:
    """The chunks of a streamed answer, which has ended properly."""
    response = await http.post(URL, json=HELLO | {"stream": True} | fields)
    assert response.status_code == 200, response.text
    blocks = response.text.removesuffix("\n\n").split("\n\n")
    assert blocks.pop() == "data: [DONE]"
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


async def test_whole_answer(http: httpx.AsyncClient, client: FakeClient) -> None:
    answer = await whole(http)
    assert answer["id"].startswith("cmpl-")
    assert answer["object"] == "text_completion"
    assert answer["model"] == "fake-model"
    assert answer["choices"] == [
        {"index": 0, "text": client.reply, "logprobs": None, "finish_reason": "stop"}
    ]
    count = len(client.reply)
    assert answer["usage"] == {
        "prompt_tokens": 2,
        "completion_tokens": count,
        "total_tokens": count + 2,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    assert client.conversations == []


async def test_every_sampling_field_reaches_the_engine(http: httpx.AsyncClient, client: FakeClient) -> None:
    fields = {
        "temperature": 0.5, "top_p": 0.25, "top_k": 7, "min_p": 0.125, "presence_penalty": -1.5,
        "frequency_penalty": 1.25, "repetition_penalty": 1.5, "seed": 42, "n": 2, "ignore_eos": True,
        "min_tokens": 2, "max_tokens": 3, "logprobs": 4,
    }  # fmt: skip
    await whole(http, **fields, stop="x", stop_token_ids=[3], logit_bias={"5": -100}, best_of=2, user="u")
    params = client.params[-1]
    assert {name: getattr(params, name) for name in fields} == fields
    assert (params.stop, params.stop_token_ids, params.logit_bias) == (("x",), (3,), {5: -100})


async def test_null_is_the_same_as_absent(http: httpx.AsyncClient, client: FakeClient) -> None:
    names = ("max_tokens", "temperature", "n", "echo", "logprobs", "best_of", "suffix", "stop", "stream",
             "stream_options", "seed", "min_tokens")  # fmt: skip
    await whole(http, **dict.fromkeys(names))
    assert client.params[-1].max_tokens == 16


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ("Hi", ["Hi"]),
        (["Hi", "你好"], ["Hi", "你好"]),
        ([72, 105], ["Hi"]),
        ([[72, 105], [97]], ["Hi", "a"]),
    ],
    ids=str,
)
async def test_forms_of_the_prompt(
    http: httpx.AsyncClient, client: FakeClient, prompt: Any, read: list[str]
) -> None:
    answer = await whole(http, prompt=prompt, echo=True, n=2)
    expected = [text + client.reply for text in read for _ in range(2)]
    assert [choice["text"] for choice in answer["choices"]] == expected
    assert [choice["index"] for choice in answer["choices"]] == list(range(len(expected)))
    assert answer["usage"]["prompt_tokens"] == sum(map(len, read))
    assert answer["usage"]["completion_tokens"] == len(client.reply) * len(expected)


@pytest.mark.parametrize(
    "fields", [{}, {"n": 3}, {"prompt": ["a", "bc"], "n": 2, "echo": True}, {"max_tokens": 2}], ids=str
)
async def test_stream_equals_whole(http: httpx.AsyncClient, fields: dict[str, Any]) -> None:
    answer = await whole(http, **fields)
    received = await chunks(http, **fields, stream_options={"include_usage": True})
    assert received[-1]["choices"] == []
    assert received[-1]["usage"] == answer["usage"]
    assert all(chunk["usage"] is None for chunk in received[:-1])
    for choice in answer["choices"]:
        own = [one for chunk in received for one in chunk["choices"] if one["index"] == choice["index"]]
        assert "".join(one["text"] for one in own) == choice["text"]
        assert [one["finish_reason"] for one in own if one["finish_reason"]] == [choice["finish_reason"]]


async def test_logprobs(http: httpx.AsyncClient) -> None:
    for logprobs in (
        (await whole(http, logprobs=1, max_tokens=2))["choices"][0]["logprobs"],
        _joined([chunk["choices"][0]["logprobs"] for chunk in await chunks(http, logprobs=1, max_tokens=2)]),
    ):
        assert logprobs == {
            "tokens": ["你", "好"],
            "token_logprobs": [-0.25, -0.25],
            "top_logprobs": [{"你": -0.25}, {"好": -0.25}],
            "text_offset": [0, 1],
        }


def _joined(parts: list[dict[str, list[Any]] | None]) -> dict[str, list[Any]]:
    found = [part for part in parts if part is not None]
    return {name: [item for part in found for item in part[name]] for name in found[0]}


async def test_logprobs_without_alternatives_and_without_a_number(
    http: httpx.AsyncClient, client: FakeClient
) -> None:
    client.logprob = -math.inf
    [choice] = (await whole(http, logprobs=0, max_tokens=1))["choices"]
    assert choice["logprobs"]["top_logprobs"] == [{"你": -9999.0}]


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"prompt": None}, "prompt", "null"),
        ({"prompt": []}, "prompt", "[]"),
        ({"prompt": [[]]}, "prompt", "[[]]"),
        ({"prompt": ["a", 1]}, "prompt", "all be text"),
        ({"prompt": [1, "a"]}, "prompt", "all be text"),
        ({"prompt": [1.5]}, "prompt", "1.5"),
        ({"prompt": [True]}, "prompt", "true"),
        ({"prompt": {"a": 1}}, "prompt", "text, token ids"),
        ({"prompt": ["a"] * 257}, "prompt", "256"),
        ({"prompt": ""}, "prompt", "empty"),
        ({"prompt": [-1]}, "prompt", "-1"),
        ({"prompt": [1114112]}, "prompt", "1114112"),
        ({"prompt": [[1], [2**40]]}, "prompt", str(2**40)),
        ({"prompt": "x" * 250}, "prompt", "250"),
        ({"prompt": ["a", "x" * 250]}, "prompt", "250"),
        ({"suffix": "end"}, "suffix", "not supported"),
        ({"best_of": 2}, "best_of", "not supported"),
        ({"best_of": 2, "n": 3}, "best_of", "not supported"),
        ({"best_of": 0}, "best_of", "0"),
        ({"echo": True, "logprobs": 1}, "echo", "not supported"),
        ({"echo": "yes"}, "echo", '"yes"'),
        ({"store": True}, "store", "not supported"),
        ({"logprobs": True}, "logprobs", "true"),
        ({"logprobs": 21}, "logprobs", "21"),
        ({"logprobs": -1}, "logprobs", "-1"),
        ({"max_tokens": 0}, "max_tokens", "0"),
        ({"max_tokens": None, "min_tokens": 17}, "min_tokens", "16"),
        ({"temperature": 3}, "temperature", "3"),
        ({"stream_options": {}}, "stream_options", "stream"),
        ({"messages": []}, "messages", "Unknown"),
        ({"max_completion_tokens": 5}, "max_completion_tokens", "Unknown"),
    ],
    ids=lambda value: str(value)[:50],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_bad_field(
    http: httpx.AsyncClient, client: FakeClient, fields: dict[str, Any], param: str, said: str, stream: bool
) -> None:
    streamed = {} if "stream_options" in fields else {"stream": stream}
    response = await http.post(URL, json=HELLO | streamed | fields)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == param
    assert said in response.json()["error"]["message"]
    assert client.running == set()


async def test_a_prompt_too_long_has_openais_code(http: httpx.AsyncClient) -> None:
    response = await http.post(URL, json=HELLO | {"prompt": "x" * 250})
    assert response.json()["error"]["code"] == "context_length_exceeded"


async def test_one_failing_completion_ends_the_answer(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.fail_after = 3
    response = await http.post(URL, json=HELLO | {"prompt": ["a", "b"]})
    assert response.status_code == 500
    assert "not finite" in response.json()["error"]["message"]
    assert client.running == set()


async def test_overload_of_one_prompt_refuses_all(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.overloaded = "too many"
    for stream in (False, True):
        response = await http.post(URL, json=HELLO | {"prompt": ["a", "b"], "stream": stream})
        assert response.status_code == 429
    assert client.running == set()


async def test_shutdown_ends_a_stream(http: httpx.AsyncClient, client: FakeClient, app: FastAPI) -> None:
    client.delay_s = 30
    app.state.service.stopping.set()
    assert (await http.post(URL, json=HELLO)).status_code == 503


def test_the_official_client_streams_what_it_gets_whole() -> None:
    with (
        live_server(FakeClient("春眠不觉晓 🐦")) as server,
        openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0) as client,
    ):
        asked: dict[str, Any] = {"model": "fake-model", "prompt": ["a", "b"], "max_tokens": 50, "logprobs": 1}
        answer = client.completions.create(**asked)
        texts = ["", ""]
        for chunk in client.completions.create(**asked, stream=True):
            for choice in chunk.choices:
                texts[choice.index] += choice.text
        assert texts == [choice.text for choice in answer.choices] == ["春眠不觉晓 🐦"] * 2
