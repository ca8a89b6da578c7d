"""The scripted endpoint's server: one event loop, bare connections, every event written in one piece.

It is meant to cost as little as it can, so that what a load generator measures against it is the generator's
own overhead: a stream is one timer and one write for each token.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Self

import httptools
import orjson

from wending.assess.scripted.reply import Replies, Reply, ReplyMaker
from wending.assess.scripted.script import Script

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    b"Transfer-Encoding: chunked\r\n%b\r\n"
)
_ENDS_AT_HALF = ("cut_off", "stall", "no_end", "error_event", "bad_event")


class ScriptedServer:
    """Serves one script. An async context manager; `port` 0 lets the system choose.

    What requests are answered may be left to `replies` instead of the script. With `tls` it speaks https.
    """

    def __init__(
        self,
        script: Script,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        replies: Replies | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = script
        self.host = host
        self.port = port
        self.running: set[_Stream] = set()
        self.waiting: deque[_Stream] = deque()
        self.replies = replies or ReplyMaker(script)
        # A kept connection that is reset looks like one that was closed just then: clients send again.
        self.connection_header = b"Connection: close\r\n" if script.failures.reset else b""
        self.served = 0
        self._tls = tls
        self._leaked: list[bytearray] = []
        self._connections: set[_Connection] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._started = loop.time()
        self._server = await loop.create_server(
            lambda: _Connection(self), self.host, self.port, backlog=4096, reuse_address=True, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        if self.script.crash_after_s is not None:
            loop.call_later(self.script.crash_after_s, os._exit, 1)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.abort()

    @property
    def base_url(self) -> str:
        return f"http{'s' if self._tls else ''}://{self.host}:{self.port}/v1"

    @property
    def age_s(self) -> float:
        return asyncio.get_running_loop().time() - self._started

    def connected(self, connection: _Connection, there: bool) -> None:
        (self._connections.add if there else self._connections.discard)(connection)

    def admit(self, stream: _Stream) -> None:
        """Begin a stream, or have it wait for another one's end."""
        if self.is_full and self.script.capacity is not None and self.script.capacity.beyond == "queue":
            self.waiting.append(stream)
        else:
            self.running.add(stream)
            stream.begin()

    def release(self, stream: _Stream) -> None:
        """A stream has ended, whether it ran or waited."""
        self.running.discard(stream)
        if stream in self.waiting:
            self.waiting.remove(stream)
        while self.waiting and not self.is_full:
            following = self.waiting.popleft()
            self.running.add(following)
            following.begin()

    @property
    def is_full(self) -> bool:
        capacity = self.script.capacity
        return capacity is not None and len(self.running) >= capacity.streams

    @property
    def slowness(self) -> float:
        """By what all times are multiplied: more than 1 only beyond a capacity that is shared out."""
        capacity = self.script.capacity
        if capacity is None or capacity.beyond != "slow":
            return 1.0
        return max(1.0, len(self.running) / capacity.streams)

    def count_request(self) -> None:
        self.served += 1
        if self.script.leak_bytes:
            # Written to, because memory that was only reserved does not show.
            self._leaked.append(bytearray(b"x") * self.script.leak_bytes)


class _Stream:
    """One answer on its way, from the end of the request to the last event."""

    __slots__ = (
        "_after", "_before", "_connection", "_due", "_loop", "_reply", "_sent", "_server", "_stop_at",
        "_timer", "_usage",
    )  # fmt: skip

    def __init__(
        self, server: ScriptedServer, connection: _Connection, reply: Reply, usage: tuple[int, int] | None
    ) -> None:
        self._server = server
        self._connection = connection
        self._reply = reply
        self._usage = usage
        self._sent = 0
        self._stop_at = reply.length // 2 if reply.fate in _ENDS_AT_HALF else -1
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        identity = f"chatcmpl-{server.served}"
        head = {"id": identity, "object": "chat.completion.chunk", "created": int(time.time()),
                "model": server.script.model}  # fmt: skip
        self._before = b"data: " + orjson.dumps(head)[:-1] + b',"choices":[{"index":0,"delta":'
        self._after = b"}]}\n\n"

    def begin(self) -> None:
        """The role at once, as most servers do; the first token when its time has come."""
        head = _STREAM_HEAD % self._server.connection_header
        self._connection.write(head + self._event(b'{"role":"assistant","content":""}'))
        self._due = self._loop.time()
        self._wait()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._server.release(self)

    def _wait(self) -> None:
        self._due += next(self._reply.gaps) * self._server.slowness
        self._timer = self._loop.call_at(self._due, self._next)

    def _next(self) -> None:
        reply = self._reply
        if self._sent == self._stop_at:
            self._break_off()
        elif self._sent < reply.length:
            token = f"{time.monotonic():.6f} " if reply.tokens is None else reply.tokens[self._sent]
            self._sent += 1
            self._connection.write(self._event(b'{"content":' + orjson.dumps(token) + b"}"))
            if self._sent < reply.length:
                self._wait()
            else:
                self._end()
        else:
            self._end()

    def _break_off(self) -> None:
        """In the middle of the answer, as the fate wants it."""
        match self._reply.fate:
            case "cut_off":
                self._connection.close()
            case "no_end":
                self._finish(b"")
            case "error_event":
                self._finish(_chunk(b'data: {"error": {"message": "a planted error"}}\n\n'))
            case "bad_event":
                self._finish(_chunk(b'data: {"choices": [\n\n'))

    def _end(self) -> None:
        """The last events go out with the last token: what follows it belongs to no token's time."""
        ending = self._event(b"{}", self._reply.finish_reason)
        if self._usage is not None:
            prompt, sent = self._usage
            usage = {"prompt_tokens": prompt, "completion_tokens": sent, "total_tokens": prompt + sent}
            chunk = b"data: " + orjson.dumps(
                {"object": "chat.completion.chunk", "choices": [], "usage": usage}
            )
            ending += _chunk(chunk + b"\n\n")
        self._finish(ending)

    def _finish(self, ending: bytes) -> None:
        self._connection.write(ending + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        self._connection.finished()
        self._server.release(self)

    def _event(self, delta: bytes, finish_reason: str | None = None) -> bytes:
        return _chunk(self._before + delta + b',"finish_reason":' + orjson.dumps(finish_reason) + self._after)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with one request at a time."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._stream: _Stream | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._url, self._body, self._key = b"", b"", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._server.connected(self, True)

    def connection_lost(self, _: Exception | None) -> None:
        self._server.connected(self, False)
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(400, f"not HTTP: {error}")
            self._transport.close()

    # What the parser finds.

    def on_message_begin(self) -> None:
        self._url, self._body, self._key = b"", b"", b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"authorization":
            self._key = value.removeprefix(b"Bearer ")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._stream is not None:
            self.close()  # a second request before the answer to the first
            return
        path, script = self._url.split(b"?")[0], self._server.script
        if path == b"/health":
            self._reply_json(200, {"status": "ok"})
        elif script.api_key is not None and self._key != script.api_key.encode():
            self._fail(401, "another API key is wanted")
        elif path.endswith(b"/chat/completions"):
            self._chat()
        elif path.endswith(b"/models") and script.model is not None:
            self._reply_json(200, {"object": "list", "data": [_model_entry(script)]})
        else:
            self._fail(404, f"there is no {path.decode('latin-1')}")

    # What streams do with it.

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def finished(self) -> None:
        """An answer is complete."""
        self._stream = None
        if self._server.connection_header:
            self.close()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        """The other side sees a reset."""
        found = self._transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _chat(self) -> None:
        server = self._server
        try:
            request = _request(self._body)
        except ValueError as error:
            self._fail(400, str(error))
            return
        server.count_request()
        capacity = server.script.capacity
        if capacity is not None and capacity.beyond == "refuse" and server.is_full:
            self._fail(429, f"{len(server.running)} requests are running, the most there may be")
            return
        reply = server.replies.reply(request, len(server.running) + 1, server.age_s)
        match reply.fate:
            case "http_error":
                self._fail(reply.status, reply.message)
            case "reset":
                self.abort()
            case "hang":
                pass
            case _ if not request.get("stream"):
                self._reply_whole(reply)
            case _:
                wants_usage = (request.get("stream_options") or {}).get("include_usage")
                self._stream = _Stream(server, self, reply, reply.usage if wants_usage else None)
                server.admit(self._stream)

    def _reply_whole(self, reply: Reply) -> None:
        """Without a stream the answer comes at once: nothing is measured on it."""
        text = "".join(reply.tokens[: reply.length]) if reply.tokens is not None else ""
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
        self._reply_json(
            200, {"object": "chat.completion", "model": self._server.script.model, "choices": [choice]}
        )

    def _fail(self, status: int, message: str) -> None:
        self._reply_json(status, {"error": {"message": message, "type": "scripted", "code": status}})

    def _reply_json(self, status: int, value: Mapping[str, Any]) -> None:
        body = orjson.dumps(value)
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
        phrase = HTTPStatus(status).phrase.encode()
        self.write(head % (status, phrase, len(body), self._server.connection_header) + body)
        self.finished()


def _model_entry(script: Script) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": script.model}
    return entry if script.max_model_len is None else entry | {"max_model_len": script.max_model_len}


def _request(body: bytes) -> dict[str, Any]:
    """The fields that are used here. Raises ValueError for a request that no endpoint would take."""
    request = orjson.loads(body)
    if not isinstance(request, dict):
        raise ValueError("the body is not an object")
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise ValueError("messages: a list of objects is wanted")
    for name in ("max_tokens", "max_completion_tokens"):
        limit = request.get(name)
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise ValueError(f"{name}: a whole number above 0 is wanted, got {limit!r}")
    return request
