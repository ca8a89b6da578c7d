"""Serves the chat page: index.html at /, the other files of web/ below /web/, also while a model still loads.

Only files that were there when the application was made exist for it, so no path can lead out of the folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

WEB_FOLDER = Path(__file__).parent / "web"

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}

# The page needs nothing from elsewhere, and a model's answer must not be able to load anything either.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def page_router(folder: Path = WEB_FOLDER) -> APIRouter:
    """A route for each file of `folder` whose type is known."""
    router = APIRouter()
    for path in sorted(folder.rglob("*")):
        if path.suffix in CONTENT_TYPES and path.is_file():
            name = path.relative_to(folder).as_posix()
            url = "/" if name == "index.html" else f"/web/{name}"
            endpoint = _endpoint(path.read_bytes(), CONTENT_TYPES[path.suffix])
            router.add_api_route(url, endpoint, methods=["GET", "HEAD"], include_in_schema=False)
    return router


def _endpoint(content: bytes, content_type: str) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    # no-cache: keep it, but ask each time whether it is still the same. A new version shows at once.
    headers = {"ETag": etag, "Cache-Control": "no-cache", **SECURITY_HEADERS}

    async def serve_file(request: Request) -> Response:
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=content_type, headers=headers)

    return serve_file
