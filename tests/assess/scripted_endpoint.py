"""An OpenAI-compatible endpoint that answers as a test tells it, and writes down when it did what."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

Request = dict[str, Any]


@dataclass(slots=True)
class Reply:
    """How one request is answered. With `raw`, exactly these bytes are streamed instead."""

    pieces: Sequence[str] = ("Answer", ": ", "5")
    first_delay: float = 0.0
    gap: float = 0.0
    finish_reason: str | None = "stop"
    role_chunk: bool = True
    usage: bool = True
    usage_tokens: int | None = None
    prompt_tokens: int = 7
    status: int = 200
    error: Any = None
    raw: bytes | None = None
    break_after: int | None = None
    """Close the connection after so many pieces."""


@dataclass(slots=True)
class Served:
    """What the endpoint did for one request, by its own monotonic clock."""

    request: Request
    received: float
    first_piece: float | None = None
    last_piece: float | None = None
    finished: bool = False


@dataclass
class ScriptedEndpoint:
    """Runs in a thread of its own; a context manager. `script` is called with each request's body."""

    script: Callable[[Request], Reply] = lambda request: Reply()
    models: Sequence[str] | None = ("scripted-model",)
    model_facts: dict[str, Any] = field(default_factory=dict)
    """What the list of models says of each beside its name."""
    key: str | None = None
    served: list[Served] = field(default_factory=list)

    def __enter__(self) -> ScriptedEndpoint:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stops listening and cuts all connections. May be called from any thread, and twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    @property
    def in_flight(self) -> int:
        """Requests that are being answered."""
        return sum(not served.finished for served in self.served)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        application = web.Application(client_max_size=8 << 20)
        application.router.add_get("/v1/models", self._list_models)
        application.router.add_post("/v1/chat/completions", self._chat)
        runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stopping.wait()
        await runner.cleanup()

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self.key is None or request.headers.get("Authorization") == f"Bearer {self.key}":
            return None
        return web.json_response({"error": {"message": "Incorrect API key provided"}}, status=401)

    async def _list_models(self, request: web.Request) -> web.Response:
        if self.models is None:
            return web.json_response({"detail": "Not Found"}, status=404)
        refusal = self._refusal(request)
        return refusal or web.json_response(
            {"object": "list", "data": [{"id": name, **self.model_facts} for name in self.models]}
        )

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        body = await request.json()
        served = Served(body, time.monotonic())
        self.served.append(served)
        try:
            return await self._answer(request, served, self.script(body))
        finally:
            served.finished = True

    async def _answer(self, request: web.Request, served: Served, reply: Reply) -> web.StreamResponse:
        if reply.status != 200:
            if isinstance(reply.error, str):
                return web.Response(text=reply.error, status=reply.status)
            return web.json_response(reply.error, status=reply.status)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if reply.raw is not None:
            await response.write(reply.raw)
            return response
        if reply.role_chunk:
            await self._send(response, {"role": "assistant", "content": ""})
        await asyncio.sleep(reply.first_delay)
        for index, piece in enumerate(reply.pieces):
            if index == reply.break_after:
                request.transport.close()  # type: ignore[union-attr]
                return response
            if index:
                await asyncio.sleep(reply.gap)
            served.last_piece = time.monotonic()
            served.first_piece = served.first_piece or served.last_piece
            await self._send(response, {"content": piece})
        if reply.finish_reason is not None:
            await self._send(response, {}, reply.finish_reason)
        if reply.usage and served.request.get("stream_options", {}).get("include_usage"):
            tokens = len(reply.pieces) if reply.usage_tokens is None else reply.usage_tokens
            usage = {
                "prompt_tokens": reply.prompt_tokens,
                "completion_tokens": tokens,
                "total_tokens": reply.prompt_tokens + tokens,
            }
            await response.write(b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _send(
        self, response: web.StreamResponse, delta: dict[str, str], finish_reason: str | None = None
    ) -> None:
        chunk = {
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        }
        await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
