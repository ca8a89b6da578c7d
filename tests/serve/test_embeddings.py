from __future__ import annotations

import base64
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server

URL = "/v1/embeddings"
HELLO: dict[str, Any] = {"model": "fake-model", "input": "Hi"}


def unit(*values: float) -> list[float]:
    """What the fake engine's hidden state becomes."""
    return (np.array(values) / np.linalg.norm(values)).astype(np.float32).tolist()


async def test_one_input(http: httpx.AsyncClient, client: FakeClient) -> None:
    response = await http.post(URL, json=HELLO)
    assert response.status_code == 200, response.text
    assert response.json() == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": unit(3, 4, 2)}],
        "model": "fake-model",
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }
    assert client.params[-1].hidden_state == "last"


@pytest.mark.parametrize("pooling", ["last", "mean"])
async def test_pooling(http: httpx.AsyncClient, pooling: str) -> None:
    answer = (await http.post(URL, json=HELLO | {"pooling": pooling})).json()
    assert answer["data"][0]["embedding"] == unit(3 if pooling == "last" else -3, 4, 2)


@pytest.mark.parametrize("inputs", [["a", "bcd"], [[1], [1, 2, 3]]], ids=str)
async def test_several_inputs(http: httpx.AsyncClient, inputs: Any) -> None:
    answer = (await http.post(URL, json=HELLO | {"input": inputs})).json()
    assert [one["embedding"] for one in answer["data"]] == [unit(3, 4, 1), unit(3, 4, 3)]
    assert [one["index"] for one in answer["data"]] == [0, 1]
    assert answer["usage"] == {"prompt_tokens": 4, "total_tokens": 4}


async def test_base64(http: httpx.AsyncClient) -> None:
    answer = (await http.post(URL, json=HELLO | {"encoding_format": "base64"})).json()
    octets = base64.b64decode(answer["data"][0]["embedding"])
    assert np.frombuffer(octets, "<f4").tolist() == unit(3, 4, 2)


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"input": None}, "input", "null"),
        ({"input": []}, "input", "[]"),
        ({"input": ""}, "input", "empty"),
        ({"input": ["a", ""]}, "input", "empty"),
        ({"input": ["a", 1]}, "input", "all be text"),
        ({"input": [-1]}, "input", "-1"),
        ({"input": "x" * 250}, "input", "250"),
        ({"dimensions": 64}, "dimensions", "not supported"),
        ({"pooling": "cls"}, "pooling", "cls"),
        ({"encoding_format": "int8"}, "encoding_format", "int8"),
        ({"temperature": 1}, "temperature", "Unknown"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_bad_field(
    http: httpx.AsyncClient, client: FakeClient, fields: dict[str, Any], param: str, said: str
) -> None:
    response = await http.post(URL, json=HELLO | fields)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == param
    assert said in response.json()["error"]["message"]
    assert client.running == set()


async def test_an_input_that_fails(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.fail_after = 0
    response = await http.post(URL, json=HELLO | {"input": ["a", "b"]})
    assert response.status_code == 500
    assert "not finite" in response.json()["error"]["message"]
    assert client.running == set()


async def test_unknown_model(http: httpx.AsyncClient) -> None:
    assert (await http.post(URL, json=HELLO | {"model": "gpt-4o"})).status_code == 404


def test_the_official_client() -> None:
    with (
        live_server(FakeClient()) as server,
        openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0) as client,
    ):
        answer = client.embeddings.create(model="fake-model", input=["a", "bcd"])
        assert [one.embedding for one in answer.data] == [unit(3, 4, 1), unit(3, 4, 3)]
