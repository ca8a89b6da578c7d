"""SIGKILL of the engine's process during 32 streams of all kinds: all finish, their bytes as undisturbed."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any, cast

import aiohttp
import jsonschema_rs
import pytest
from tests.engine.clients import kill, until_up
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server

from wending.engine.process_client import ProcessClient, load_client

STREAMS, KILLS = 32, 3

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "born": {"type": "string", "format": "date"}},
    "required": ["name", "born"],
    "additionalProperties": False,
}
STAFF = {"type": "array", "items": PERSON, "minItems": 10, "maxItems": 15}
HIRE = {
    "type": "object",
    "properties": {"staff": STAFF},
    "required": ["staff"],
    "additionalProperties": False,
}
TOOLS = [{"type": "function", "function": {"name": "hire", "parameters": HIRE}}]
STAFF_FORM = {"type": "json_schema", "json_schema": {"name": "staff", "schema": STAFF}}

KINDS: list[dict[str, Any]] = [
    {"response_format": STAFF_FORM, "max_tokens": 450},
    {"tools": TOOLS, "tool_choice": "required", "max_tokens": 450},
    {"ignore_eos": True, "max_tokens": 300},
    {"ignore_eos": True, "max_tokens": 150, "logprobs": True, "top_logprobs": 2, "n": 2},
]


def request(number: int) -> dict[str, Any]:
    return {
        "model": "wending-demo",
        "messages": [{"role": "user", "content": f"Write about the {number} people 员工 of our company."}],
        "stream": True,
        "seed": number,
        "temperature": [0.0, 0.8, 1.2][number % 3],
        "wending_report": True,
    } | KINDS[number % len(KINDS)]


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(cast(FakeClient, load_client())) as server:
        yield server


class Stream:
    """What a client has got of one answer."""

    def __init__(self) -> None:
        self.text: dict[tuple[int, str], str] = {}
        self.logprobs: dict[int, list[Any]] = {}
        self.report: dict[str, Any] = {}
        self.is_whole = False

    def _add(self, choice: int, part: str, text: str | None) -> None:
        self.text[choice, part] = self.text.get((choice, part), "") + (text or "")

    def take(self, event: bytes) -> None:
        if event == b"[DONE]":
            self.is_whole = True
            return
        chunk = json.loads(event)
        assert "error" not in chunk, chunk
        self.report = chunk.get("wending", self.report)
        for choice in chunk["choices"]:
            index, delta = choice["index"], choice["delta"]
            self._add(index, "content", delta.get("content"))
            for call in delta.get("tool_calls") or ():
                self._add(index, f"name {call['index']}", call["function"].get("name"))
                self._add(index, f"arguments {call['index']}", call["function"].get("arguments"))
            self._add(index, "finish_reason", choice["finish_reason"])
            self.logprobs.setdefault(index, []).extend((choice.get("logprobs") or {}).get("content") or ())

    @property
    def answer(self) -> tuple[dict[tuple[int, str], str], dict[int, list[Any]]]:
        return self.text, self.logprobs


async def read(session: aiohttp.ClientSession, number: int, stream: Stream) -> None:
    async with session.post("/v1/chat/completions", json=request(number)) as response:
        assert response.status == 200, await response.text()
        async for line in response.content:
            if line.startswith(b"data: "):
                stream.take(line.removeprefix(b"data: ").strip())


async def test_killed_during_mixed_streams(server: LiveServer) -> None:
    client = cast(ProcessClient, server.client)
    numbers = random.Random(2)
    undisturbed = [Stream() for _ in range(STREAMS)]
    disturbed = [Stream() for _ in range(STREAMS)]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(server.url, connector=connector) as session:
        await asyncio.gather(*(read(session, number, stream) for number, stream in enumerate(undisturbed)))
        reading = asyncio.gather(*(read(session, number, stream) for number, stream in enumerate(disturbed)))
        while not all(stream.text for stream in disturbed):
            await asyncio.sleep(0.001)
        for killed in range(KILLS):
            await asyncio.sleep(numbers.random() * 0.3)
            assert not reading.done()
            assert sum(not stream.is_whole for stream in disturbed) > STREAMS // 2
            kill(client)
            await until_up(client, killed + 1)
        await reading
    for number, (one, other) in enumerate(zip(undisturbed, disturbed, strict=True)):
        assert one.is_whole
        assert other.is_whole
        assert other.answer == one.answer, number
        assert one.report["engine_restarts"] == 0
    # Some may have ended before the first kill.
    assert sum(stream.report["engine_restarts"] > 0 for stream in disturbed) > STREAMS // 2


async def test_they_are_what_they_should_be(server: LiveServer) -> None:
    """Else the test above would compare nothing."""
    streams = [Stream() for _ in KINDS]
    async with aiohttp.ClientSession(server.url) as session:
        for number, stream in enumerate(streams):
            await read(session, number, stream)
    staff, tools, free, logprobs = streams
    assert jsonschema_rs.is_valid(STAFF, json.loads(staff.text[0, "content"]))
    assert tools.text[0, "name 0"] == "hire"
    assert jsonschema_rs.is_valid(HIRE, json.loads(tools.text[0, "arguments 0"]))
    assert free.text[0, "finish_reason"] == "length"
    assert logprobs.text.keys() == {(i, part) for i in (0, 1) for part in ("content", "finish_reason")}
    assert all(len(each) > 100 for each in logprobs.logprobs.values())
