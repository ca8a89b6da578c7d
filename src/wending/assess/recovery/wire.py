"""Requests as no client library would send them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

REPLY_S = 60.0
"""How long a reply may take."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` is None where there was none: `how` then says what came instead."""

    status: int | None
    how: str

    @property
    def is_refusal(self) -> bool:
        """A clean one: the client is told that it was its fault."""
        return self.status is not None and 400 <= self.status < 500


class Wire:
    """An endpoint's bare connections. Use as an async context manager."""

    def __init__(
        self,
        base_url: str,
        model: str,
        headers: Mapping[str, str],
        as_taken: Callable[[Mapping[str, Any]], dict[str, Any]] = dict,
    ) -> None:
        """`as_taken` gives an ordinary request the names of fields that the endpoint takes."""
        self.url = f"{base_url}/chat/completions"
        self.model = model
        self.headers = dict(headers)
        self._as_taken = as_taken
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Wire:
        self._session = aiohttp.ClientSession(
            # A connection for each request: what a fault does to one must not be taken for the next's answer.
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=REPLY_S),
            headers=self.headers,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    def body(self, text: str = "Say hello.", **fields: Any) -> dict[str, Any]:
        """An ordinary request."""
        messages = [{"role": "user", "content": text}]
        body = {"model": self.model, "messages": messages, "max_tokens": 16, "temperature": 0}
        return self._as_taken(body | fields)

    async def send(self, body: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a body, whatever it is."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        try:
            async with self._post(data, headers) as response:
                said = await response.read()
                return Reply(response.status, _message(said))
        except TimeoutError:
            return Reply(None, f"nothing within {REPLY_S:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Reply(None, str(error) or type(error).__name__)

    async def hang_up(self, body: Mapping[str, Any]) -> bool:
        """Begin a stream and close the connection after its first bytes; whether there were any."""
        try:
            async with self._post(orjson.dumps({**body, "stream": True}), None) as response:
                piece = await response.content.readany()
                response.close()
                return bool(piece)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of its own. Raises OSError."""
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        context = ssl.create_default_context() if secure else None
        return await asyncio.open_connection(parts.hostname, port, ssl=context, limit=1024)

    def head(self, length: int) -> bytes:
        """The head of a request with a body of so many bytes."""
        parts = urlsplit(self.url)
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode("latin-1")

    def _post(self, data: bytes, headers: Mapping[str, str] | None) -> Any:
        if self._session is None:
            raise RuntimeError("Wire is used as an async context manager")
        return self._session.post(
            self.url, data=data, headers={"Content-Type": "application/json", **(headers or {})}
        )


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whatever state it is in."""
    writer.close()
    with suppress(OSError, ssl.SSLError):
        await writer.wait_closed()


def _message(body: bytes) -> str:
    try:
        said = orjson.loads(body)["error"]
        said = said["message"] if isinstance(said, dict) else said
    except (ValueError, KeyError, TypeError):
        said = body.decode("utf-8", "replace")
    return " ".join(str(said).split())[:160]
