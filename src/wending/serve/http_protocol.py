"""uvicorn's HTTP protocol with bounds for the head of a request, which nothing has been checked of yet, with
OpenAI's form for what it refuses itself, and blind to offers of other protocols."""

from __future__ import annotations

import asyncio

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wending.serve.offer_blind_parser import OFFER, OfferBlindParser
from wending.serve.openai_errors import APIError

MAX_HEAD_BYTES = 1 << 16
MAX_HEAD_S = 60.0


class BoundedHeadProtocol(HttpToolsProtocol):
    """Closes a connection whose next head is longer than MAX_HEAD_BYTES, or takes longer than MAX_HEAD_S.

    The piece in which a head begins is not counted, because it may hold the end of an earlier request too.

    The time counts from the opening of the connection, later from a request's first byte; how long a
    connection may be idle between requests is uvicorn's to say.
    """

    _heads_begun = 0
    _is_in_head = False
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.parser = OfferBlindParser(self, self._read_without_offer)
        self._head_timer = self.loop.call_later(MAX_HEAD_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._heads_begun += 1
        self._is_in_head = True
        self._head_bytes = 0
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(MAX_HEAD_S, self.transport.close)

    def on_headers_complete(self) -> None:
        self._end_head()
        if not self._is_offer():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._is_offer():
            super().on_message_complete()

    def _is_offer(self) -> bool:
        """Whether the head just read offers another protocol: it is going to be read once more without."""
        return self.parser.should_upgrade() and any(name == OFFER for name, _ in self.headers)

    def _read_without_offer(self, rest: bytes) -> bool:
        """See OfferBlindParser."""
        if not self._is_offer():
            return False
        version = self.parser.get_http_version().encode()
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            if name != OFFER:
                head += [name, b": ", value, b"\r\n"]
        self.parser = OfferBlindParser(self, self._read_without_offer)
        self.parser.feed_data(b"".join([*head, b"\r\n", rest]))
        return True

    def data_received(self, data: bytes) -> None:
        heads_begun = self._heads_begun
        super().data_received(data)
        if self._is_in_head and self._heads_begun == heads_begun:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response(f"The head of the request is larger than {MAX_HEAD_BYTES} bytes.")

    def send_400_response(self, msg: str) -> None:
        """Called for what is no HTTP, and by this class."""
        body = orjson.dumps(APIError(400, msg, code="invalid_http").body())
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _end_head(self) -> None:
        self._is_in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
