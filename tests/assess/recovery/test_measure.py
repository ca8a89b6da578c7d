"""Endpoints with planted weaknesses: each is found where it lies, and a sound one is sound."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from tests.assess.decided import Decided, Request, say

from wending.assess.bilingual import Bilingual
from wending.assess.endpoint import EndpointClient
from wending.assess.recovery import RecoveryMeasurement, Row
from wending.assess.recovery.canary import QUESTION, Canary
from wending.assess.recovery.kills import kill_server
from wending.assess.scripted.reply import Reply, refusal
from wending.assess.target import OwnServer, TargetError


class Endpoint:
    """Sound, but for what a test plants."""

    def __init__(self, **weaknesses: Any) -> None:
        self.weak = weaknesses
        self.running = 0
        self.leaked = 0
        self.burst = False

    async def chat(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            body = json.loads(raw)
        except ValueError:
            if self.weak.get("dies_of_bad_json"):
                self.weak["dead"] = True
            return self.refuse("not JSON", self.weak.get("status_of_bad_json", 400))
        if self.weak.get("dead"):
            assert request.transport is not None
            request.transport.close()
            return web.Response(status=500)
        if not isinstance(body["messages"], list) or not all(
            isinstance(body.get(name, 0), int | float) for name in ("max_tokens", "temperature")
        ):
            return self.refuse("wrong type")
        if len(raw) > 1_000_000:
            return self.refuse("too long")
        if "response_format" in body and not self.weak.get("ignores_schemas"):
            return self.refuse("no such schema")
        if self.leaked >= self.weak.get("slots", 10_000):
            await asyncio.sleep(3600)
        return await self.answer(request, body)

    async def answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        self.running += 1
        self.burst = self.burst or self.running > 40
        try:
            await asyncio.sleep(0.01)
            text = "other" if self.burst and self.weak.get("changes_after_burst") else "red, green, blue"
            if not body.get("stream"):
                choice = {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                }
                return web.json_response({"choices": [choice]})
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            is_canary = body["messages"][0]["content"] == QUESTION
            for piece in [text] if is_canary else [text] * 400:
                await response.write(chunk({"content": piece}))
                await asyncio.sleep(0 if is_canary else 0.01)
            await response.write(chunk({}, "stop") + b"data: [DONE]\n\n")
            return response
        except (ConnectionError, asyncio.CancelledError):
            self.leaked += 1
            raise
        finally:
            self.running -= 1

    def refuse(self, message: str, status: int = 400) -> web.Response:
        return web.json_response({"error": {"message": message}}, status=status)


def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


@contextmanager
def running(endpoint: Endpoint) -> Iterator[str]:
    """In a thread and a loop of its own, as an endpoint is."""
    ready, stop, port = threading.Event(), threading.Event(), []

    async def serve() -> None:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/v1/chat/completions", endpoint.chat)
        runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port.append(runner.addresses[0][1])
        ready.set()
        while not stop.is_set():
            await asyncio.sleep(0.02)
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield f"http://127.0.0.1:{port[0]}"
    stop.set()
    thread.join(10)


async def rows_of(endpoint: Endpoint, patience_s: float = 10.0) -> dict[str, Row]:
    with running(endpoint) as url:
        async with EndpointClient(url, model="m") as client:
            measurement = RecoveryMeasurement(
                client, capacity=8, patience_s=patience_s, fault_s=5.0, progress=lambda *_: None
            )
            await measurement.run()
    assert measurement.result.steady
    json.dumps(measurement.result.to_json())
    return {row.id: row for row in measurement.result.rows}


async def test_a_sound_endpoint_comes_through_all() -> None:
    rows = await rows_of(Endpoint())
    assert {row.id for row in rows.values() if row.ok is False} == set()
    assert {row.id for row in rows.values() if row.ok is None} == {"kill_worker", "kill_server"}
    assert all(row.canary_equal and row.recovered_s is not None for row in rows.values() if row.ok)


async def test_what_is_answered_500_or_taken_in_silence() -> None:
    rows = await rows_of(Endpoint(status_of_bad_json=500, ignores_schemas=True))
    assert {row.id for row in rows.values() if row.ok is False} == {"malformed_body", "bad_schema"}
    assert "status 500" in rows["malformed_body"].happened
    assert "status 200" in rows["bad_schema"].happened


async def test_an_endpoint_that_is_gone_is_not_beaten_on() -> None:
    rows = await rows_of(Endpoint(dies_of_bad_json=True), patience_s=0.5)
    assert rows["malformed_body"].ok is False
    assert rows["malformed_body"].recovered_s is None
    assert "no good answer afterwards" in rows["malformed_body"].happened
    assert all(row.ok is None for row in rows.values() if row.id != "malformed_body")


async def test_hang_ups_that_keep_their_slots() -> None:
    rows = await rows_of(Endpoint(slots=20), patience_s=0.5)
    assert rows["hang_ups"].ok is False
    assert rows["hang_ups"].recovered_s is None
    assert rows["endless_schema"].ok


async def test_answers_that_are_others_after_a_burst() -> None:
    rows = await rows_of(Endpoint(changes_after_burst=True))
    assert rows["burst"].ok is False
    assert rows["burst"].canary_equal is False
    assert rows["hang_ups"].canary_equal


@dataclass
class SlowToStart:
    """A server of ours that takes longer to be ready than the canary waits."""

    seconds: float | None
    """None: it never is."""
    is_down: bool = False

    def reply(self, _: Request) -> Reply:
        return refusal(500, "not yet") if self.is_down else say("red", "green")

    async def kill(self) -> None:
        self.is_down = True

    async def start(self) -> None:
        pass

    async def wait_until_ready(self, progress: Callable[[float], None]) -> None:
        if self.seconds is None:
            raise TargetError(Bilingual("the server was not ready", "服务仍未就绪"))
        await asyncio.sleep(self.seconds)
        self.is_down = False


@pytest.mark.parametrize("seconds", [0.6, None])
async def test_a_killed_server_may_take_as_long_to_start_as_at_first(seconds: float | None) -> None:
    server = SlowToStart(seconds)
    async with Decided(server.reply) as endpoint, EndpointClient(endpoint.base_url, model="m") as client:
        canary = Canary(client, patience_s=0.2)
        await canary.learn()
        row = await kill_server(client, cast("OwnServer", server), canary)
    if seconds is None:
        assert (row.ok, row.recovered_s) == (False, None)
        assert "the server was not ready" in row.happened
    else:
        assert row.ok
        assert row.recovered_s is not None
        assert row.recovered_s >= seconds, "the start is a part of it"


@asynccontextmanager
async def own_server(tmp_path: Path) -> AsyncIterator[OwnServer]:
    async with OwnServer(None, tmp_path / "server.log") as server:
        await server.wait_until_ready(lambda _: None)
        yield server


async def test_our_own_server_with_its_processes_killed(tmp_path: Path) -> None:
    async with own_server(tmp_path) as server, EndpointClient(server.base_url) as client:
        await client.resolve_model()
        measurement = RecoveryMeasurement(client, server=server, progress=lambda *_: None)
        await measurement.run()
    assert measurement.result.steady
    assert [(row.id, row.happened) for row in measurement.result.rows if not row.ok] == []
    assert len(measurement.result.rows) == 14
