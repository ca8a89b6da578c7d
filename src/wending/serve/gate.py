"""Decides on the head of a request, before a byte of its body is read, whether it is let in."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from wending.engine.errors import Overloaded
from wending.serve.api_keys import ApiKeys
from wending.serve.hosted import Hosted
from wending.serve.openai_errors import APIError, as_api_error, unavailable
from wending.serve.request_record import record_in


class Gate:
    """Asks for a key, refuses new work while the server stops, and holds the limits of requests at once.

    The limits count requests with the method POST: those are the ones that have a body and make work.
    """

    def __init__(self, app: ASGIApp, service: Hosted, keys: ApiKeys) -> None:
        self._app = app
        self._service = service
        self._keys = keys
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST":
            await self._next_turn()
        try:
            admission = self._admit(scope)
        except (APIError, Overloaded) as refusal:
            await as_api_error(refusal).response()(scope, receive, send)
            return
        with admission:
            await self._app(scope, receive, send)

    async def _next_turn(self) -> None:
        """Begins one request in each round of the event loop, so that a thousand that come at once hold up
        neither running streams nor /health for longer than one of them takes to be read."""
        async with self._turn:
            await asyncio.sleep(0)

    def _admit(self, scope: Scope) -> AbstractContextManager[None]:
        """Raises APIError and Overloaded."""
        key = None
        if self._keys and not is_open(scope["path"]):
            key = record_in(scope).key = self._name_of_key(Headers(scope=scope))
        if scope["method"] != "POST":
            return nullcontext()
        if self._service.draining:
            refusal = unavailable("The server is shutting down.", "shutting_down")
            refusal.headers["Connection"] = "close"  # so that the next one finds another server
            raise refusal
        return self._service.requests.take(key)

    def _name_of_key(self, headers: Headers) -> str:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise _unauthorized("An API key is needed, in the header 'Authorization: Bearer KEY'.", "")
        name = self._keys.name_of(key.strip())
        if name is None:
            raise _unauthorized("The API key is not one of this server's.", ', error="invalid_token"')
        return name


def is_open(path: str) -> bool:
    """Whether a path needs no key: the check of life, and the page's files, which are the same everywhere."""
    return path in ("/", "/health/live") or path.startswith("/web/")


def _unauthorized(message: str, error: str) -> APIError:
    headers = {"WWW-Authenticate": f'Bearer realm="wending"{error}'}
    return APIError(401, message, code="invalid_api_key", headers=headers)
