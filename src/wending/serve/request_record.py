"""What is known of one request while it is answered: its id, its key's name, its tokens and times."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.types import Scope

from wending.engine.client import CompletionDelta

MAX_PATH_CHARACTERS = 200

_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_NAME = "request_record"  # in the state of the ASGI scope


@dataclass(slots=True)
class RequestRecord:
    """Filled on the way through the service; `fields` is what the log says of it."""

    request_id: str
    method: str
    path: str
    started: float = field(default_factory=time.monotonic)
    status: int | None = None
    is_complete: bool = False
    """Whether the answer went out to its end."""
    key: str | None = None
    """The name of the API key."""
    prompt_tokens: int | None = None
    prompt: str | None = None
    """Only where prompts may be logged."""
    completion_tokens: int = 0
    finish_reason: str | None = None
    """Of the completion that ended last, but an error is not covered by what ends after it."""
    error: str | None = None
    ttft_s: float | None = None
    """From the head of the request to its first token."""

    def add(self, delta: CompletionDelta) -> None:
        """Count what a completion has gained."""
        if self.ttft_s is None and delta.token_ids:
            self.ttft_s = time.monotonic() - self.started
        self.completion_tokens += len(delta.token_ids)
        if delta.finish_reason is not None and self.finish_reason != "error":
            self.finish_reason = delta.finish_reason
            self.error = delta.error_code

    def fields(self) -> dict[str, Any]:
        """All that is known, by the names of the log, now that the request has ended."""
        known: dict[str, Any] = {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "duration_s": round(time.monotonic() - self.started, 4),
            "request_id": self.request_id,
            "key": self.key,
        }
        if self.prompt_tokens is not None:
            known |= {
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": self.completion_tokens,
                "finish_reason": self.finish_reason,
                "error": self.error,
                "ttft_s": None if self.ttft_s is None else round(self.ttft_s, 4),
                "prompt": self.prompt,
            }
        if not self.is_complete:
            known["hung_up"] = True
        return {name: value for name, value in known.items() if value is not None}


def new_record(scope: Scope) -> RequestRecord:
    """A record of the request of an ASGI scope, kept there; its id is the client's if that is a sane one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode(
        "latin-1"
    )
    request_id = given if _SANE_ID.fullmatch(given) else f"req-{uuid.uuid4().hex}"
    # The raw path is as it came over the wire, without a decoded control character.
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw_path.decode("ascii", "backslashreplace")[:MAX_PATH_CHARACTERS]
    record = RequestRecord(request_id, scope["method"], path)
    scope.setdefault("state", {})[_NAME] = record
    return record


def record_in(scope: Scope) -> RequestRecord:
    """The record of the request of an ASGI scope, for which `new_record` was called."""
    record = scope["state"][_NAME]
    if not isinstance(record, RequestRecord):
        raise TypeError(f"the state of the request holds a {type(record).__name__} as its record")
    return record


def record_of(request: Request) -> RequestRecord:
    """The record of a request."""
    return record_in(request.scope)
