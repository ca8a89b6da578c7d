"""Counts HTTP requests by method, route and status, for /metrics."""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wending.serve.openai_errors import CLIENT_CLOSED_REQUEST

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

RequestCounts = Counter[tuple[str, str, int]]
"""How many requests by method, path of the route ("" where there is none) and status."""


class CountRequests:
    """Middleware that adds to `counts` when an answer has ended."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            status = status or 500
            raise
        finally:
            # What a client makes up must not become a label: their number would have no bound.
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            route = getattr(scope.get("route"), "path", "")
            self._counts[method, route, status or CLIENT_CLOSED_REQUEST] += 1
