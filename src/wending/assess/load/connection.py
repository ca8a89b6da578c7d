"""A connection that asks for streamed answers and notes when each piece arrived, at as little cost as it can.

An HTTP client library wakes a task for every piece of every stream. Here the bytes are taken where the event
loop delivers them, which leaves time for several times as many streams (docs/performance-log.md).
"""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
import zlib
from collections.abc import Callable

import httptools

from wending.assess.bilingual import Bilingual
from wending.assess.chat_answer import ChatAnswer
from wending.assess.chat_events import (
    check_finished,
    connection_lost,
    not_a_stream,
    status_error,
    take_event,
    timed_out,
)
from wending.assess.endpoint_errors import (
    ConnectionReset,
    EndpointError,
    OutOfSockets,
    ProtocolError,
    Unreachable,
)
from wending.assess.load.dial import CONNECT_TIMEOUT, Address, dial
from wending.assess.sockets import reason
from wending.assess.sse import EventSplitter
from wending.assess.tls import tls_failure

SILENCE_TIMEOUT = 120.0
"""Seconds without a byte after which an answer is given up."""
OUT_OF_SOCKETS = (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS)
COMPRESSED = (b"gzip", b"deflate")
"""Not asked for, since it holds events back; but some gateways do so all the same."""
ANSWER_TIMEOUT = 900.0
"""Seconds that one whole answer may take."""


class ChatConnection(asyncio.Protocol):
    """One connection, opened at its first use; its requests go one after the other."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._transport: asyncio.Transport | None = None
        self._answer: ChatAnswer | None = None
        self._done: asyncio.Future[None] | None = None
        self._is_answering = False
        self.sent_again = 0
        """Requests sent once more, since the endpoint had closed the connection kept from before."""

    async def ask(self, request: bytes, answer: ChatAnswer) -> float:
        """Send a request, head and body, and fill in `answer` as its events arrive.

        The time of its last byte. Raises EndpointError. Any server may close a connection that it had kept,
        in the very moment in which the next request is sent (RFC 9112, 9.3.1). Such a request was never
        looked at, and goes out again on a new connection.
        """
        is_kept = self._transport is not None
        try:
            return await self._exchange(request, answer)
        except ConnectionReset:
            if not is_kept:
                raise
        self.sent_again += 1
        return await self._exchange(request, answer)

    async def _exchange(self, request: bytes, answer: ChatAnswer) -> float:
        loop = asyncio.get_running_loop()
        transport = self._transport or await self._open()
        self._answer, self._done, self._is_answering = answer, loop.create_future(), False
        self._parser = httptools.HttpResponseParser(self)
        self._splitter = EventSplitter()
        self._is_json = self._is_framed = self._is_stream = self._is_complete = self._stays_open = False
        self._pieces: list[bytes] = []
        self._began = self._heard = time.monotonic()
        self._watch = loop.call_later(SILENCE_TIMEOUT, self._look)
        try:
            transport.write(request)
            await self._done
            self._finish(answer)
        except (EndpointError, asyncio.CancelledError):
            self.close()
            raise
        finally:
            self._watch.cancel()
            self._answer = self._done = None
        if not self._stays_open:
            self.close()
        return self._heard

    async def _open(self) -> asyncio.Transport:
        try:
            await dial(self._address, lambda: self)
        except TimeoutError:
            raise self._unreachable(f"no connection within {CONNECT_TIMEOUT:g} s") from None
        except ssl.SSLError as error:
            raise tls_failure(self._url, error) from None
        except OSError as error:
            if error.errno in OUT_OF_SOCKETS:
                why = error.strerror
                raise OutOfSockets(
                    Bilingual(f"no more connections: {why}", f"无法再建立连接：{why}")
                ) from None
            raise self._unreachable(reason(error)) from None
        if self._transport is None:
            raise self._unreachable("the connection was closed at once")
        return self._transport

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._done is None or self._done.done():
            return
        self._heard, self._is_answering = time.monotonic(), True
        try:
            self._parser.feed_data(data)
            if self._is_stream and self._pieces:
                body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
                self._pieces.clear()
                for event in self._splitter.feed(body):
                    take_event(self._answer, event, self._heard)
        except EndpointError as error:
            self._done.set_exception(error)
            return
        except httptools.HttpParserError as error:
            words = Bilingual(
                f"{self._url} does not speak HTTP: {error}", f"{self._url} 不符合 HTTP：{error}"
            )
            self._done.set_exception(ProtocolError(words))
            return
        if self._is_complete:
            self._done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._done is None or self._done.done():
            return
        if self._is_stream and not self._is_framed and error is None:
            self._done.set_result(None)  # a body without a length ends with its connection
            return
        why = Bilingual("closed by the endpoint", "被服务端关闭") if error is None else str(error)
        lost = connection_lost(why, self._answer, has_begun=self._is_answering)
        self._done.set_exception(lost)

    # What the parser finds.

    def on_message_begin(self) -> None:
        self._decompress: Callable[[bytes], bytes] | None = None
        self._is_json = self._is_framed = self._is_stream = False

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"content-type":
            self._is_json = value.lower().startswith(b"application/json")
        elif name in (b"content-length", b"transfer-encoding"):
            self._is_framed = True
        elif name == b"content-encoding" and value.lower() in COMPRESSED:
            self._decompress = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress  # 32: of either kind

    def on_headers_complete(self) -> None:
        self._is_stream = not self._is_json and self._parser.get_status_code() == 200

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body if self._decompress is None else self._decompress(body))

    def on_message_complete(self) -> None:
        # A status below 200, such as 103 Early Hints, only announces the answer.
        self._is_complete = self._parser.get_status_code() >= 200
        # Asked for now: once the message is over the parser has forgotten how its length was given.
        self._stays_open = self._parser.should_keep_alive()

    @property
    def _url(self) -> str:
        return self._address.url

    def _finish(self, answer: ChatAnswer) -> None:
        """The end of the body is there."""
        status, body = self._parser.get_status_code(), b"".join(self._pieces)
        if status != 200:
            raise status_error(
                status,
                body,
                key_given=self._address.has_key,
                url=self._url,
                retry_after=None,  # a load does not wait: that it is turned away is what it measures
            )
        if not self._is_stream:
            raise not_a_stream(body)
        for event in self._splitter.finish():
            take_event(answer, event, self._heard)
        check_finished(answer)

    def _look(self) -> None:
        """Whether the endpoint has been silent for too long, or takes too long altogether."""
        now = time.monotonic()
        left = min(self._heard + SILENCE_TIMEOUT, self._began + ANSWER_TIMEOUT) - now
        if left > 0:
            self._watch = asyncio.get_running_loop().call_later(left, self._look)
        elif self._done is not None and not self._done.done():
            self._done.set_exception(timed_out(self._answer))

    def _unreachable(self, why: str) -> Unreachable:
        return Unreachable(Bilingual(f"{self._url} cannot be reached: {why}", f"无法连接 {self._url}：{why}"))
