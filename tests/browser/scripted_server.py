"""A server that looks like wending's to the chat page and answers what a test wrote down.

It serves the page under a content security policy stricter than any it will meet. It knows nothing of models:
each chat completion takes the next `Answer` of `answers`, or the default one once they are used up.
"""

from __future__ import annotations

import json
import mimetypes
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import wending.serve

WEB = Path(wending.serve.__file__).parent / "web"
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
HOLD = object()
"""A piece of an answer at which the server waits for `release()`, sending comments meanwhile as pings."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one chat completion answers: an error, exact bytes, or text pieces as OpenAI-style events."""

    pieces: Sequence[Any] = ("Hello", " there.")
    finish_reason: str | None = "stop"  # None: the connection ends before the answer does
    completion_tokens: int = 12
    status: int = 200
    error: str = ""
    raw: Sequence[bytes] | None = None


def event(payload: Any) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def chunk(content: str | None, finish_reason: str | None = None) -> bytes:
    delta = {} if content is None else {"content": content}
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})


class ScriptedServer:
    """A test may set `answers`, `status` (as /health gives it), `is_demo`, `key`, and look at the others."""

    def __init__(self, port: int = 0) -> None:
        self.answers: deque[Answer] = deque()
        self.status = "ok"
        self.is_demo = True
        self.key: str | None = None
        self.requests: list[dict[str, Any]] = []
        self.hung_up = threading.Event()
        self._released = threading.Semaphore(0)
        self._http = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def release(self) -> None:
        """Lets the answer that is held (or the next one that will be) go on."""
        self._released.release()

    def close(self) -> None:
        for _ in range(100):
            self._released.release()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self._is_locked():
                    self._locked()
                elif self.path == "/health":
                    self._json(200 if script.status == "ok" else 503, {"status": script.status})
                elif self.path.startswith("/v1/") and script.status != "ok":
                    self._not_ready()
                elif self.path == "/v1/models":
                    facts = {"demo": script.is_demo, "max_context": 2048, "precision": "bf16"}
                    self._json(200, {"data": [{"id": "scripted-model", "wending": facts}]})
                else:
                    self._page("index.html" if self.path == "/" else self.path.removeprefix("/web/"))

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                if self._is_locked():
                    self._locked()
                    return
                script.requests.append(body)
                if script.status != "ok":
                    self._not_ready()
                    return
                answer = script.answers.popleft() if script.answers else Answer()
                if answer.status != 200:
                    self._json(answer.status, {"error": {"message": answer.error}})
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream; charset=utf-8")
                self.end_headers()
                try:
                    for part in script._bytes_of(answer):
                        self.wfile.write(part)
                        self.wfile.flush()
                except OSError:
                    script.hung_up.set()

            def _is_locked(self) -> bool:
                needs_key = self.path == "/health" or self.path.startswith("/v1/")
                given = self.headers["Authorization"]
                return needs_key and script.key is not None and given != f"Bearer {script.key}"

            def _locked(self) -> None:
                self._json(401, {"error": {"message": "no key", "code": "invalid_api_key"}})

            def _not_ready(self) -> None:
                code = "starting" if script.status == "starting" else "engine_dead"
                error = {"message": f"The engine is {script.status}.", "code": code}
                self._json(503, {"error": error})

            def _page(self, name: str) -> None:
                path = WEB / name
                if not path.is_file():
                    self._json(404, {"error": {"message": "no such file"}})
                    return
                self._send(
                    200, mimetypes.guess_type(name)[0] or "application/octet-stream", path.read_bytes()
                )

            def _json(self, status: int, payload: Any) -> None:
                self._send(status, "application/json", json.dumps(payload).encode())

            def _send(self, status: int, content_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", POLICY)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler

    def _bytes_of(self, answer: Answer) -> Iterator[bytes]:
        if answer.raw is not None:
            yield from answer.raw
            return
        yield chunk("")  # the role chunk: an empty text, which is not yet a token
        for piece in answer.pieces:
            if piece is HOLD:
                while not self._released.acquire(timeout=0.05):
                    yield b": ping\n\n"
            else:
                yield chunk(piece)
        if answer.finish_reason is None:
            return
        yield chunk(None, answer.finish_reason)
        yield event(
            {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": answer.completion_tokens}}
        )
        yield b"data: [DONE]\n\n"
