"""An answer as server-sent events, written as soon as they come; in silence a comment keeps it alive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from wending.serve.hang_up import ClientHungUp, until_hang_up
from wending.serve.openai_errors import as_api_error

DONE = b"data: [DONE]\n\n"
PING = b": ping\n\n"


def event(data: Any) -> bytes:
    """One event that carries a JSON value."""
    return b"data: " + orjson.dumps(data) + b"\n\n"


class EventStream(Response):
    """Sends what `events` yields, each piece in one write, and closes `events` when the client hangs up.

    The status goes out with the first piece. What is raised before it is therefore still answered by its own
    status; what is raised after it becomes an event with an error object, and the stream ends without [DONE].
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None], stopping: asyncio.Event, ping_s: float) -> None:
        """`ping_s`: after so many seconds without an event a comment is sent, which clients pass over."""
        # X-Accel-Buffering asks a reverse proxy to pass events on instead of collecting them.
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._stopping = stopping
        self._ping_s = ping_s
        self._started = False
        self._last_sent = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        try:
            await until_hang_up(self._send_events(send), receive, self._stopping)
        except ClientHungUp:
            return
        except Exception as error:
            if not self._started:
                raise
            await self._send(send, event(as_api_error(error).body()))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_events(self, send: Send) -> None:
        pinging = asyncio.create_task(self._send_pings(send))
        try:
            async with aclosing(self._events) as events:
                async for piece in events:
                    await self._send(send, piece)
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)

    async def _send_pings(self, send: Send) -> None:
        while True:
            silence_s = time.monotonic() - self._last_sent
            if self._started and silence_s >= self._ping_s:
                await self._send(send, PING)
            else:
                await asyncio.sleep(max(self._ping_s - silence_s, self._ping_s / 10))

    async def _send(self, send: Send, piece: bytes) -> None:
        self._last_sent = time.monotonic()
        if not self._started:
            self._started = True
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
        await send({"type": "http.response.body", "body": piece, "more_body": True})
