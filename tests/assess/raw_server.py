"""A server whose answers are given byte by byte, for what no endpoint should say."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from typing import Self

EVENT = b'data: {"choices":[{"delta":{"content":"tea"},"finish_reason":null}]}\n\n'
FILTER = b'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}\n\n'
"""The first event of Azure's streams."""
END = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def chunked(*parts: bytes) -> bytes:
    """A stream of these parts."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))
    return STREAM + b"Transfer-Encoding: chunked\r\n\r\n" + chunks


def compressed(*parts: bytes) -> bytes:
    """A stream of these parts, flushed after each, by a server that compresses unasked."""
    squeeze = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    pieces = [squeeze.compress(part) + squeeze.flush(zlib.Z_SYNC_FLUSH) for part in parts]
    stream = chunked(*pieces, squeeze.flush())
    return stream.replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1)


def whole(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


class RawServer:
    """Answers each request with the next of `replies`, the last of them again and again.

    An answer is sent in pieces of `piece` bytes. With `hang_up` a connection ends after its first answer.
    After `answers` of them a connection is kept, but closed when its next request has come.
    """

    def __init__(
        self,
        *replies: bytes,
        piece: int = 1 << 16,
        hang_up: bool = False,
        answers: int | None = None,
    ) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._replies: Sequence[bytes] = replies
        self._piece = piece
        self._hang_up = hang_up
        self._answers = answers
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.hang_up_now()

    def hang_up_now(self) -> None:
        """On everybody."""
        for writer in self._writers:
            writer.close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        answered = 0
        try:
            while True:
                self.requests.append(await _request(reader))
                if answered == self._answers:
                    break
                await self._send(self._replies[min(len(self.requests), len(self._replies)) - 1], writer)
                answered += 1
                if self._hang_up:
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _send(self, reply: bytes, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(reply), self._piece):
            writer.write(reply[start : start + self._piece])
            await writer.drain()
            await asyncio.sleep(0)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, after = head.lower().partition(b"content-length: ")
    return head + await reader.readexactly(int(after.split(b"\r\n")[0] or 0))
