"""Limits of a body, besides those that every bad request is held to in test_bad_requests.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.running_app import CHAT, running_app

from wending.serve import json_body
from wending.serve.json_body import MAX_FIELDS, MAX_VALUES

JSON = {"Content-Type": "application/json"}


async def post(http: httpx.AsyncClient, body: bytes) -> httpx.Response:
    return await http.post("/v1/chat/completions", content=body, headers=JSON)


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"role":"user","content":[' + b"{}," * MAX_FIELDS + b"{}]}]}",
        b'{"x":0,' + b",".join(b'"%x":0' % i for i in range(MAX_FIELDS)) + b"}",
        b'{"stop_token_ids":[' + b"1," * (MAX_VALUES + 1) + b"1]}",
        b'{"stop_token_ids":[' + b'"",' * (MAX_VALUES + 1) + b'""]}',
        b'{"a\\\\":"\\"",' + b"[]," * (MAX_VALUES + 1),
    ],
)
async def test_a_body_of_too_many_parts_is_not_looked_at(http: httpx.AsyncClient, body: bytes) -> None:
    response = await post(http, body)
    assert response.status_code == 413
    assert f"more than {MAX_FIELDS} objects and fields or {MAX_VALUES} values" in response.text


@pytest.mark.parametrize("text", [",:{" * MAX_VALUES, '\\",' * MAX_VALUES, "\\\\," * MAX_VALUES])
async def test_what_looks_like_parts_inside_a_text_does_not_count(http: httpx.AsyncClient, text: str) -> None:
    body = f'{{"model":"fake-model","messages":[{{"role":"user","content":"x"}}],"user":"{text}"}}'
    assert (await post(http, body.encode())).status_code == 200


@pytest.mark.parametrize(
    "body", [b'"' * 1_000_000 + b"," * MAX_VALUES * 2, b'{"a":"' + b"," * MAX_VALUES * 2]
)
async def test_what_is_not_json_is_called_so(http: httpx.AsyncClient, body: bytes) -> None:
    response = await post(http, body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("body", [b'{"x":' + b"[" * 100_000, b'{"x":' * 10_000])
async def test_nesting_is_bounded(http: httpx.AsyncClient, body: bytes) -> None:
    response = await post(http, body)
    assert response.status_code == 400
    assert "recursion limit" in response.text


async def test_the_size_is_what_the_operator_says(client: FakeClient) -> None:
    async with running_app(client, max_body_bytes=1000) as http:
        assert (await http.post("/v1/chat/completions", json=CHAT)).status_code == 200
        response = await http.post("/v1/chat/completions", json=CHAT | {"user": "x" * 1000})
        assert response.status_code == 413
        assert "larger than 1000 bytes" in response.text


async def test_a_body_without_an_announced_length_is_cut_off(http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 2**20

    response = await http.post("/v1/chat/completions", content=chunks(), headers=JSON)
    assert response.status_code == 413
    assert str(16 * 2**20) in response.text


async def test_content_type_with_charset(http: httpx.AsyncClient) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8", "content-encoding": "Identity"}
    body = json.dumps(CHAT).encode()
    assert (await http.post("/v1/chat/completions", content=body, headers=headers)).status_code == 200
    assert (await http.post("/v1/chat/completions", content=body)).status_code == 415


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"a":1,"b":2,"a":1}', "a"),
        (b'{"a":[{"b":1},{"c":{"d":1,"\\u0064":2}}]}', "d"),
        (b'{"":1,"":1}', ""),
    ],
)
async def test_a_field_that_is_there_twice(http: httpx.AsyncClient, body: bytes, name: str) -> None:
    response = await post(http, body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["param"], error["code"]) == (name, "duplicate_field")
    assert f"'{name}'" in error["message"]


async def test_a_body_that_does_not_come(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_body, "MAX_UPLOAD_S", 0.05)

    async def never_ending() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(3600)

    response = await http.post("/v1/chat/completions", content=never_ending(), headers=JSON)
    assert response.status_code == 408
    assert response.json()["error"]["code"] == "request_timeout"
