from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.serve.fake_client import FakeClient

FUNCTION = {"type": "function", "function": {"name": "f"}}


async def test_text(http: httpx.AsyncClient) -> None:
    for fields in ({}, {"model": "fake-model", "add_special_tokens": True}, {"add_special_tokens": False}):
        answer = (await http.post("/tokenize", json={"prompt": "Hi 你"} | fields)).json()
        assert answer == {"count": 4, "max_model_len": 200, "tokens": [72, 105, 32, 0x4F60]}


async def test_conversation(http: httpx.AsyncClient, client: FakeClient) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    asked = {"messages": messages, "add_generation_prompt": True, "return_token_strs": True}
    answer = (await http.post("/tokenize", json=asked)).json()
    assert answer["tokens"] == [72, 105]
    assert answer["token_strs"] == ["H", "i"]
    assert client.conversations[-1] == [{"role": "user", "content": "Hi"}]


async def test_a_message_to_be_continued(http: httpx.AsyncClient, client: FakeClient) -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "I"}]
    for fields in ({}, {"add_generation_prompt": False}):
        asked = {"messages": messages, "continue_final_message": True} | fields
        assert (await http.post("/tokenize", json=asked)).json()["count"] == 3
        assert client.continued
    refused = await http.post("/tokenize", json={"messages": messages[:1], "continue_final_message": True})
    assert refused.json()["error"]["param"] == "continue_final_message"


async def test_tools(http: httpx.AsyncClient, client: FakeClient) -> None:
    asked = {"messages": [{"role": "user", "content": "Hi"}], "tools": [FUNCTION]}
    assert (await http.post("/tokenize", json=asked)).json()["count"] == 2
    assert client.tools[-1] == [FUNCTION]


async def test_a_long_text(http: httpx.AsyncClient) -> None:
    answer = (await http.post("/tokenize", json={"prompt": "长" * 5000})).json()
    assert answer["count"] == 5000


async def test_there_and_back(http: httpx.AsyncClient) -> None:
    tokens = (await http.post("/tokenize", json={"prompt": "春眠不觉晓"})).json()["tokens"]
    response = await http.post("/detokenize", json={"model": "fake-model", "tokens": tokens})
    assert response.json() == {"prompt": "春眠不觉晓"}
    assert (await http.post("/detokenize", json={"tokens": []})).json() == {"prompt": ""}


@pytest.mark.parametrize(
    ("url", "body", "param"),
    [
        ("/tokenize", {}, "prompt"),
        ("/tokenize", {"prompt": "a", "messages": [{"role": "user", "content": "a"}]}, "messages"),
        ("/tokenize", {"prompt": 5}, "prompt"),
        ("/tokenize", {"messages": []}, "messages"),
        ("/tokenize", {"prompt": "a", "tools": [FUNCTION]}, "tools"),
        ("/tokenize", {"messages": [{"role": "user", "content": "a"}], "tools": [{}]}, "tools[0].type"),
        ("/tokenize", {"messages": [{"role": "user"}]}, "messages[0].content"),
        ("/tokenize", {"prompt": "a", "add_special_tokens": 1}, "add_special_tokens"),
        ("/tokenize", {"prompt": "a", "add_generation_prompt": False}, "add_generation_prompt"),
        ("/tokenize", {"prompt": "a", "continue_final_message": True}, "continue_final_message"),
        ("/tokenize", {"prompt": "a", "chat_template": "x"}, "chat_template"),
        ("/detokenize", {}, "tokens"),
        ("/detokenize", {"tokens": "a"}, "tokens"),
        ("/detokenize", {"tokens": [-1]}, "tokens"),
        ("/detokenize", {"tokens": [1114112]}, "tokens"),
        ("/detokenize", {"tokens": [1.5]}, "tokens[0]"),
    ],
    ids=str,
)
async def test_bad_field(http: httpx.AsyncClient, url: str, body: dict[str, Any], param: str) -> None:
    response = await http.post(url, json=body)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == param


async def test_unknown_model(http: httpx.AsyncClient) -> None:
    for url, body in (("/tokenize", {"prompt": "a"}), ("/detokenize", {"tokens": [1]})):
        assert (await http.post(url, json=body | {"model": "gpt-4o"})).status_code == 404
