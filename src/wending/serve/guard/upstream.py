"""Calls an OpenAI-compatible endpoint over HTTP, once for each call: repeating is retries.py's business."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic_core import from_json

from wending.serve.guard.answer_chunks import answer_chunks
from wending.serve.guard.sse_splitter import SSESplitter
from wending.serve.guard.upstream_failure import failure, failure_of_status
from wending.serve.openai_errors import invalid_value

CONNECT_LIMIT_S = 10.0
SILENCE_LIMIT_S = 600.0  # a whole answer comes after a long silence; the official clients wait as long
PROBE_LIMIT_S = 5.0
MAX_ANSWER_BYTES = 64 * 2**20


class InvalidUpstream(ValueError):  # noqa: N818
    """The URL cannot be that of an endpoint."""


@dataclass(frozen=True, slots=True)
class UpstreamEvent:
    """One event of a streamed answer: its bytes as they came, and what they say."""

    data: bytes
    chunk: dict[str, Any]


class Upstream:
    """`url` is the base URL of the API, with /v1 or what the provider has instead; /v1 if it has no path.

    `key` is sent as a bearer token and shown nowhere. Raises InvalidUpstream.
    """

    def __init__(self, url: str, key: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidUpstream(f"'{url}' is not the URL of an endpoint, such as http://127.0.0.1:8000/v1")
        if parts.username or parts.query or parts.fragment:
            raise InvalidUpstream(
                "the URL of an upstream has no user, query or fragment; its key is given apart"
            )
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.url = self.origin + (parts.path.rstrip("/") or "/v1")
        self._is_local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The whole answer to a chat completion request. Raises UpstreamFailure."""
        async with self._post(body) as response:
            return _chat_completion(await _read(response))

    async def events(self, body: Mapping[str, Any]) -> AsyncGenerator[UpstreamEvent, None]:
        """The answer in pieces, without the closing [DONE]. Raises UpstreamFailure.

        An upstream that does not stream and sends a whole answer instead is let through in pieces.
        """
        async with self._post(body) as response:
            if response.content_type == "application/json":
                include_usage = bool((body.get("stream_options") or {}).get("include_usage"))
                for chunk in answer_chunks(_chat_completion(await _read(response)), include_usage):
                    yield UpstreamEvent(json.dumps(chunk).encode(), chunk)
                return
            finished = set()
            async for data in _data_of_events(response):
                if data == b"[DONE]":
                    return
                event = UpstreamEvent(data, _chunk(data))
                for choice in event.chunk.get("choices") or []:
                    if choice.get("finish_reason") is not None:
                        finished.add(choice.get("index"))
                yield event
            if len(finished) < max(1, n if isinstance(n := body.get("n"), int) else 1):
                raise failure("ended its stream in the middle", "upstream_cut_off", may_repeat=True)

    async def get(self, url: str) -> tuple[int, Any]:
        """The status and the JSON of a short answer; None where it is no JSON. Raises UpstreamFailure."""
        timeout = aiohttp.ClientTimeout(total=PROBE_LIMIT_S)
        try:
            async with self._open().get(url, timeout=timeout, allow_redirects=False) as response:
                content = await _read(response)
                try:
                    return response.status, from_json(content)
                except ValueError:
                    return response.status, None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unreachable(self.url, error) from error

    @asynccontextmanager
    async def _post(self, body: Mapping[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        url = self.url + "/chat/completions"
        headers = {"Content-Type": "application/json"}
        try:
            # A redirect would take the key elsewhere, or make a GET of it.
            async with self._open().post(
                url, data=_encoded(body), headers=headers, allow_redirects=False
            ) as response:
                if not 200 <= response.status < 300:
                    raise failure_of_status(response.status, await _read(response), response.headers)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unreachable(self.url, error) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=CONNECT_LIMIT_S, sock_read=SILENCE_LIMIT_S
                ),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=not self._is_local,
            )
        return self._session


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except ValueError as error:
        raise invalid_value("body", "NaN and Infinity are no JSON numbers") from error


def _unreachable(url: str, error: Exception) -> Exception:
    reason = " ".join(str(error).split()) or type(error).__name__
    return failure(f"{url} cannot be reached: {reason}", "upstream_unreachable", may_repeat=True)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise failure(
                f"sent more than {MAX_ANSWER_BYTES} bytes", "invalid_upstream_answer", may_repeat=False
            )
    return bytes(content)


def _chat_completion(content: bytes) -> dict[str, Any]:
    try:
        answer = from_json(content)
    except ValueError:
        answer = None
    if (
        not isinstance(answer, dict)
        or not _are_choices(answer.get("choices"), "message")
        or not answer["choices"]
    ):
        shown = content[:200].decode(errors="replace")
        raise failure(f"sent no chat completion but {shown!r}", "invalid_upstream_answer", may_repeat=False)
    return answer


def _chunk(data: bytes) -> dict[str, Any]:
    try:
        chunk = from_json(data)
    except ValueError:
        chunk = None
    if isinstance(chunk, dict) and chunk.get("error") is not None:
        error = chunk["error"]
        message = error.get("message") if isinstance(error, dict) else error
        raise failure(f"failed in the middle: {message}", "upstream_error", may_repeat=False)
    if not isinstance(chunk, dict) or not _are_choices(chunk.get("choices") or [], "delta"):
        shown = data[:200].decode(errors="replace")
        raise failure(f"streamed no chunk but {shown!r}", "invalid_upstream_answer", may_repeat=False)
    return chunk


def _are_choices(value: Any, said: str) -> bool:
    return isinstance(value, list) and all(
        isinstance(choice, dict)
        and isinstance(choice.get("index"), int | None)
        and isinstance(choice.get(said), dict | None)
        for choice in value
    )


async def _data_of_events(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    splitter = SSESplitter()
    beginning, has_events = b"", False
    try:
        async for piece in response.content.iter_any():
            beginning = (beginning + piece)[:200]
            for data in splitter.feed(piece):
                has_events = True
                yield data
        for data in splitter.end():
            has_events = True
            yield data
    except ValueError as error:
        raise failure(
            f"streams what is too long: {error}", "invalid_upstream_answer", may_repeat=False
        ) from error
    if beginning and not has_events:
        shown = beginning.decode(errors="replace")
        raise failure(f"sent no event stream but {shown!r}", "invalid_upstream_answer", may_repeat=False)
