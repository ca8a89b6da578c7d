"""Request ids, and what the log says of each request."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.running_app import CHAT, running_app, until_running

from wending.serve.log_output import JSONFormatter, TextFormatter, logging_to_stderr


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """What is logged during the test."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    with logging_to_stderr("text"):
        logging.root.addHandler(handler)
        yield records
        logging.root.removeHandler(handler)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return record.__dict__["fields"]


@pytest.mark.parametrize("given", ["abc-1", "4bf92f35:77/b7+ad=@6.5_3", "x" * 128])
async def test_a_sane_id_is_taken(http: httpx.AsyncClient, given: str) -> None:
    for request in (
        http.get("/v1/models", headers={"X-Request-Id": given}),
        http.post("/v1/chat/completions", json=CHAT | {"stream": True}, headers={"X-Request-Id": given}),
        http.post("/v1/chat/completions", json={}, headers={"X-Request-Id": given}),
        http.get("/nowhere", headers={"X-Request-Id": given}),
    ):
        assert (await request).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "<script>", '"'])
async def test_any_other_is_replaced(http: httpx.AsyncClient, given: str) -> None:
    responses = [
        await http.get("/v1/models", headers={"X-Request-Id": given.encode("latin-1")}) for _ in range(2)
    ]
    ids = {response.headers["x-request-id"] for response in responses}
    assert len(ids) == 2
    assert all(re.fullmatch("req-[0-9a-f]{32}", one) for one in ids)


async def test_every_refusal_has_an_id(client: FakeClient) -> None:
    async with running_app(client, api_keys="sk-1", cors_origins=("https://a.example",)) as http:
        assert "x-request-id" in (await http.get("/v1/models")).headers
        preflight = {"Origin": "https://b.example", "Access-Control-Request-Method": "POST"}
        assert "x-request-id" in (await http.options("/v1/models", headers=preflight)).headers


async def test_an_unexpected_error_has_an_id_and_is_logged_once(
    http: httpx.AsyncClient, client: FakeClient, logged: list[logging.LogRecord]
) -> None:
    def fail(*_: object) -> list[int]:
        raise ZeroDivisionError("in the tokenizer")

    client.encode_chat = fail  # type: ignore[method-assign]
    response = await http.post("/v1/chat/completions", json=CHAT)
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    error, line = logged
    assert error.exc_info is not None
    assert fields(line)["status"] == 500
    assert fields(line)["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("stream", [False, True])
async def test_one_line_for_an_answer(
    client: FakeClient, logged: list[logging.LogRecord], stream: bool
) -> None:
    client.reply = "Hello"
    async with running_app(client, api_keys="alice sk-secret") as http:
        response = await http.post(
            "/v1/chat/completions?user=sk-secret",
            json=CHAT | {"stream": stream, "n": 2},
            headers={"Authorization": "Bearer sk-secret"},
        )
    [line] = logged
    said = fields(line)
    assert said.pop("duration_s") >= said.pop("ttft_s") >= 0
    assert said == {
        "method": "POST",
        "path": "/v1/chat/completions",
        "status": 200,
        "request_id": response.headers["x-request-id"],
        "key": "alice",
        "prompt_tokens": 2,
        "completion_tokens": 10,
        "finish_reason": "stop",
    }
    for formatter in (TextFormatter(), JSONFormatter()):
        assert "sk-secret" not in formatter.format(line)
        assert "Hi" not in formatter.format(line)


async def test_prompts_only_if_asked_for(client: FakeClient, logged: list[logging.LogRecord]) -> None:
    async with running_app(client, log_prompts=True) as http:
        await http.post("/v1/chat/completions", json=CHAT)
    assert fields(logged[0])["prompt"] == "Hi"


async def test_a_completion_that_fails(client: FakeClient, logged: list[logging.LogRecord]) -> None:
    async with running_app(client) as http:
        client.fail_after = 2
        await http.post("/v1/chat/completions", json=CHAT | {"stream": True})
    said = fields(logged[-1])
    assert (said["status"], said["finish_reason"], said["error"]) == (200, "error", "non_finite_logits")


async def test_a_client_that_hangs_up(client: FakeClient, logged: list[logging.LogRecord]) -> None:
    async with running_app(client) as http:
        client.delay_s = 60
        task = asyncio.create_task(http.post("/v1/chat/completions", json=CHAT | {"stream": True}))
        await until_running(client, 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert fields(logged[0])["hung_up"] is True
    assert fields(logged[0])["completion_tokens"] == 0


async def test_a_look_at_a_healthy_service_is_not_logged(
    http: httpx.AsyncClient, client: FakeClient, logged: list[logging.LogRecord]
) -> None:
    await http.get("/health")
    assert logged == []
    client.error = "out of memory"
    await http.get("/health")
    assert fields(logged[0])["status"] == 503


async def test_the_path_cannot_break_a_line(http: httpx.AsyncClient, logged: list[logging.LogRecord]) -> None:
    await http.get("/v1/models/a%0Ab%20c?key=sk-1")
    await http.get("/" + "x" * 5000)
    line = TextFormatter().format(logged[0])
    assert "path=/v1/models/a%0Ab%20c " in line
    assert "sk-1" not in line
    assert len(TextFormatter().format(logged[1])) < 500
