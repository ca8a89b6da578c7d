"""An OpenAI-compatible endpoint with planted faults: a script says how each request is answered."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Reply:
    """How one request is answered: by `pieces`, each written by itself."""

    pieces: Sequence[bytes] = ()
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    gap_s: float = 0.0
    """Before the answer, and after each piece."""
    reset_after: int | None = None
    """The connection is reset after so many pieces; 0: without an answer."""

    def cut(self, size: int) -> Reply:
        """The same bytes in pieces of another size."""
        content = b"".join(self.pieces)
        return replace(self, pieces=[content[i : i + size] for i in range(0, len(content), size)])


def completion(*texts: str | None, finish_reason: str = "stop", **fields: Any) -> Reply:
    """A whole answer with these choices."""
    choices = [
        {
            "index": i,
            "message": {"role": "assistant", "content": text, "reasoning": f"thought {i}"},
            "logprobs": {"content": []},
            "finish_reason": finish_reason,
        }
        for i, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    body = {"id": "chatcmpl-up", "object": "chat.completion", "created": 1, "model": "up", "choices": choices}
    return Reply([json.dumps(body | {"usage": usage, "unknown_field": [1]} | fields).encode()])


def calling(*calls: Any, text: str | None = None, finish_reason: str = "tool_calls") -> Reply:
    """A whole answer with one choice, which calls tools."""
    message = {"role": "assistant", "content": text, "tool_calls": list(calls)}
    return completion(choices=[{"index": 0, "message": message, "finish_reason": finish_reason}])


def stream(
    *texts: str, finish_reason: str | None = "stop", done: bool = True, extra: Iterable[bytes] = ()
) -> Reply:
    """A streamed answer with one choice, its role first."""
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        *({"content": text} for text in texts),
    ]
    pieces = [event([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    if finish_reason is not None:
        pieces.append(event([{"index": 0, "delta": {}, "finish_reason": finish_reason}]))
    pieces += [*extra, *([b"data: [DONE]\n\n"] if done else [])]
    return Reply(pieces, content_type="text/event-stream")


def event(choices: list[dict[str, Any]]) -> bytes:
    chunk = {"id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1, "model": "up"}
    return b"data: " + json.dumps(chunk | {"choices": choices, "unknown_field": [1]}).encode() + b"\n\n"


def error(status: int, message: str, param: str | None = None, **headers: str) -> Reply:
    body = {"error": {"message": message, "type": "test", "param": param, "code": "planted"}}
    return Reply([json.dumps(body).encode()], status, headers=headers)


class ScriptedUpstream:
    """Runs in a thread of its own. The last reply of `script` answers all further requests."""

    def __init__(self) -> None:
        self.script: list[Reply] = []
        self.requests: list[dict[str, Any]] = []
        self.authorization: list[str | None] = []
        self.models: Any = {"object": "list", "data": [{"id": "up", "owned_by": "them"}, {"id": "other"}]}
        self.models_status = 200
        self.health: Reply | None = None
        self.hung_up = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def serve(self, started: threading.Event) -> None:
        asyncio.run(self._serve(started))

    async def _serve(self, started: threading.Event) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/health", self._health)
        # A handler is cancelled when its client hangs up, so that a test can see it.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = runner.addresses[0][1]
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await self._stopping.wait()
        await runner.cleanup()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.authorization.append(request.headers.get("Authorization"))
        reply = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        try:
            await asyncio.sleep(reply.delay_s)
            return await self._write(request, reply)
        except asyncio.CancelledError:
            self.hung_up.set()
            raise

    async def _write(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.content_type = reply.content_type
        for i, piece in enumerate(reply.pieces):
            if i == reply.reset_after:
                break
            if i == 0:
                await response.prepare(request)
            await response.write(piece)
            await asyncio.sleep(reply.gap_s)
        if reply.reset_after is not None:
            await asyncio.sleep(0.02)  # what was written has left
            assert request.transport is not None
            request.transport.abort()
        elif not reply.pieces:
            await response.prepare(request)
        return response

    async def _models(self, request: web.Request) -> web.Response:
        self.authorization.append(request.headers.get("Authorization"))
        return web.json_response(self.models, status=self.models_status)

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return await self._write(request, self.health or error(404, "no such page"))


@contextmanager
def scripted_upstream() -> Iterator[ScriptedUpstream]:
    upstream, started = ScriptedUpstream(), threading.Event()
    thread = threading.Thread(target=upstream.serve, args=(started,), daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        yield upstream
    finally:
        upstream.stop()
        thread.join(20)
        assert not thread.is_alive()
