"""Stands between a generator and a server and notes when each piece passes: what the generator should say.

A server answers a second run as fast as the first only by chance, and in a closed loop requests meet each
other in other ways. So two generators are compared through what each says of requests whose times are also
known from here.
"""

from __future__ import annotations

import time
from contextlib import suppress

import aiohttp
from aiohttp import web
from bench.generators.timed import TimedRequest

from wending.assess.chat_answer import ChatAnswer
from wending.assess.chat_events import take_event
from wending.assess.sse import EventSplitter

OF_ONE_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
"""Headers that are not passed on (RFC 9110, section 7.6.1), and those that aiohttp sets itself."""


class Tap:
    """An HTTP server that passes everything on. An async context manager."""

    def __init__(self, base_url: str) -> None:
        self._upstream = base_url.removesuffix("/v1")
        self._answers: list[ChatAnswer] = []

    async def __aenter__(self) -> Tap:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None),
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    @property
    def requests(self) -> list[TimedRequest]:
        """Those that were answered with text, timed as a generator without any delay would."""
        return [
            TimedRequest(answer.sent, times[0], times[-1], answer.tokens, answer.text, times)
            for answer in self._answers
            if (times := answer.content_times)
        ]

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        answer = ChatAnswer(sent=time.monotonic())
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OF_ONE_HOP}
        body = await request.read()
        async with self._session.request(
            request.method, self._upstream + request.raw_path, headers=headers, data=body or None
        ) as upstream:
            kept = {name: value for name, value in upstream.headers.items() if name.lower() not in OF_ONE_HOP}
            response = web.StreamResponse(status=upstream.status, headers=kept)
            await response.prepare(request)
            splitter = EventSplitter()
            streamed = upstream.content_type == "text/event-stream"
            async for piece in upstream.content.iter_any():
                now = time.monotonic()
                await response.write(piece)
                for event in splitter.feed(piece) if streamed else ():
                    take_event(answer, event, now)
            self._answers.append(answer)
            with suppress(ConnectionResetError):  # a client may go once it has seen [DONE]
                await response.write_eof()
        return response
