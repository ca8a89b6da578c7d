from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server, wait_until

from wending.serve.event_stream import DONE, PING, EventStream, event
from wending.serve.openai_errors import APIError

FAST_S, NEVER_S = 0.001, 1000.0


async def sent(events: AsyncGenerator[bytes, None], ping_s: float) -> list[dict[str, Any]]:
    """What a stream gives to the server, message by message."""
    messages: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    await EventStream(events, asyncio.Event(), ping_s)({}, receive, send)
    return messages


async def test_the_first_event_goes_out_before_the_second_is_there() -> None:
    messages: list[Any] = []
    second = asyncio.Event()

    async def events() -> AsyncGenerator[bytes, None]:
        yield event(1)
        await second.wait()
        yield DONE

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    stream = asyncio.create_task(EventStream(events(), asyncio.Event(), NEVER_S)({}, receive, send))
    while len(messages) < 2:
        await asyncio.sleep(0)
    assert messages[0]["status"] == 200
    assert messages[1]["body"] == b"data: 1\n\n"
    second.set()
    await stream
    assert messages[2]["body"] == DONE
    assert messages[3] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_silence_is_filled_with_comments() -> None:
    pinged = asyncio.Event()

    async def events() -> AsyncGenerator[bytes, None]:
        yield event(1)
        await pinged.wait()
        yield DONE

    bodies: list[bytes] = []

    async def send(message: Any) -> None:
        bodies.append(message.get("body", b""))
        if bodies.count(PING) == 3:
            pinged.set()

    async def receive() -> Any:
        await asyncio.Event().wait()

    await EventStream(events(), asyncio.Event(), FAST_S)({}, receive, send)
    assert bodies[1] == event(1)
    assert bodies[2:5] == [PING] * 3
    assert [body for body in bodies if body not in (PING, b"")] == [event(1), DONE]


async def test_no_comment_before_the_first_event_which_may_be_an_error_with_its_status() -> None:
    async def events() -> AsyncGenerator[bytes, None]:
        await asyncio.sleep(20 * FAST_S)
        raise APIError(418, "no")
        yield b""

    with pytest.raises(APIError, match="no"):
        await sent(events(), FAST_S)


async def test_an_error_within_the_stream_is_json_and_no_done_follows() -> None:
    async def events() -> AsyncGenerator[bytes, None]:
        yield event(1)
        raise APIError(500, "broken", type="server_error", code="x")

    bodies = [message.get("body") for message in await sent(events(), NEVER_S)]
    error = {"error": {"message": "broken", "type": "server_error", "param": None, "code": "x"}}
    assert bodies == [None, event(1), event(error), b""]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
        ("/v1/completions", {"prompt": ["a", "b"]}),
    ],
)
def test_over_http_a_stream_begins_and_lives_though_no_token_comes(url: str, asked: dict[str, Any]) -> None:
    with live_server(FakeClient()) as server:
        server.client.delay_s, server.service.ping_s = 1000, FAST_S
        body = {"model": "fake-model", "stream": True} | asked
        with httpx.stream("POST", server.url + url, json=body) as response:
            lines = response.iter_lines()
            first = json.loads(next(lines).removeprefix("data: "))
            assert first["choices"][0]["finish_reason"] is None
            assert next(line for line in lines if line.startswith(":")) == ": ping"
            assert server.client.tokens == 1  # of the warm-up
        wait_until(lambda: not server.client.running)
