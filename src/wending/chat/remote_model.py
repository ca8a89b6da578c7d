"""Answers from an OpenAI-compatible HTTP API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from wending.chat.answerer import AnswerFailed, Message

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=600)


class RemoteModel:
    """See Answerer."""

    def __init__(self, url: str, model: str | None, key: str | None, temperature: float | None) -> None:
        """`url`: of the API, such as http://127.0.0.1:8080/v1; without a path, /v1 is added. `model` None is
        the first that the server lists. Raises AnswerFailed if it lists none."""
        self._url = url.rstrip("/") if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/v1"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._sampling = {} if temperature is None else {"temperature": temperature}
        self.name = model or asyncio.run(self._first_model())

    def answer(self, messages: list[Message], on_text: Callable[[str], None]) -> str:
        """See Answerer.answer."""
        return asyncio.run(self._answer(messages, on_text))

    async def _first_model(self) -> str:
        async with self._request("GET", "/models") as response:
            try:
                name: str = (await response.json(content_type=None))["data"][0]["id"]
            except (ValueError, LookupError, TypeError) as error:
                raise AnswerFailed(f"{self._url}/models lists no model; name one with --model") from error
        return name

    async def _answer(self, messages: list[Message], on_text: Callable[[str], None]) -> str:
        body = {"model": self.name, "messages": messages, "stream": True, **self._sampling}
        reason = None
        async with self._request("POST", "/chat/completions", body) as response:
            async for data in _events(response.content):
                if data == b"[DONE]":
                    break
                chunk = _object(data)
                if "error" in chunk:
                    raise AnswerFailed(_reason(chunk))
                for choice in chunk.get("choices", []):
                    on_text(choice.get("delta", {}).get("content") or "")
                    reason = choice.get("finish_reason") or reason
        if reason is None:
            raise AnswerFailed("the connection ended before the answer did")
        return str(reason)

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: Any = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT, headers=self._headers) as session,
                session.request(method, self._url + path, json=body) as response,
            ):
                if response.status != 200:
                    raise AnswerFailed(_refusal(response.status, await response.read()))
                yield response
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise AnswerFailed(f"{self._url}: {error or type(error).__name__}") from error


async def _events(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """The data of each server-sent event; those of a completion have one line of data each."""
    rest = b""
    async for piece in stream.iter_any():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()


def _object(data: bytes) -> dict[str, Any]:
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError(f"an event is no JSON object: {data[:80]!r}")
    return value


def _refusal(status: int, body: bytes) -> str:
    try:
        return f"{_reason(_object(body))} (HTTP {status})"
    except ValueError:
        return f"HTTP {status}"  # the page of a proxy says nothing that helps


def _reason(answer: dict[str, Any]) -> str:
    """The message of an answer in OpenAI's error form."""
    error = answer.get("error")
    return str(error.get("message") if isinstance(error, dict) else error)
