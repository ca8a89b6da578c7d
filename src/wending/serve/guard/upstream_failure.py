"""What can go wrong with an upstream, as errors that our clients may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from wending.serve.openai_errors import APIError

# The official client libraries ask again after a 5xx by themselves. The guard has done that already.
DO_NOT_RETRY = {"x-should-retry": "false"}
SHOWN_CHARACTERS = 500


class UpstreamFailure(Exception):  # noqa: N818 - what the client gets is `error`
    """One call of the upstream has failed. `error` is the answer if it is not to be tried again."""

    def __init__(self, error: APIError, may_repeat: bool, retry_after_s: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.may_repeat = may_repeat
        self.retry_after_s = retry_after_s


class UpstreamRefusal(APIError):  # noqa: N818
    """A 4xx of the upstream, handed on with its status and its body."""

    def __init__(self, status: int, answer: Any, text: str, headers: Mapping[str, str]) -> None:
        error = answer.get("error") if isinstance(answer, dict) else None
        fields = error if isinstance(error, dict) else {}
        self.reason = str(fields.get("message") or text[:SHOWN_CHARACTERS] or f"status {status}")
        param = fields.get("param")
        super().__init__(
            status,
            f"The upstream refused the request: {self.reason}",
            param=param if isinstance(param, str) else None,
            code="upstream_refused",
            headers=headers,
        )
        self.answer = answer if fields else None
        self.text = text

    def body(self) -> dict[str, Any]:
        return self.answer if isinstance(self.answer, dict) else super().body()

    def names_response_format(self) -> bool:
        """Whether it is about `response_format`, or the schema in it."""
        text = self.text.lower()
        return self.status in (400, 422) and any(
            word in text for word in ("response_format", "response format", "json_schema", "json_object")
        )


def failure(message: str, code: str, *, may_repeat: bool, status: int = 502) -> UpstreamFailure:
    """`message` completes "The upstream …"."""
    error = APIError(status, f"The upstream {message}.", type="server_error", code=code, headers=DO_NOT_RETRY)
    return UpstreamFailure(error, may_repeat)


def failure_of_status(status: int, content: bytes, headers: Mapping[str, str]) -> UpstreamFailure:
    """An answer with a status other than 2xx. Worth repeating: 408, 429 and 5xx, unless it says otherwise."""
    text = content.decode(errors="replace")
    if status in (401, 403):  # it is our key that was refused, not our client's
        return failure(f"refused the server's key ({status})", "upstream_unauthorized", may_repeat=False)
    may_repeat = headers.get("x-should-retry") != "false"
    retry_after_s = _seconds(headers.get("Retry-After"))
    if status == 429 or 400 <= status < 500:
        passed_on = {"Retry-After": headers["Retry-After"]} if "Retry-After" in headers else {}
        refusal = UpstreamRefusal(status, _json_or_none(content), text, passed_on)
        return UpstreamFailure(refusal, may_repeat and status in (408, 429), retry_after_s)
    failed = failure(
        f"failed with status {status}: {_shown(text)}",
        "upstream_error",
        may_repeat=may_repeat and status >= 500,
    )
    failed.retry_after_s = retry_after_s
    return failed


def _shown(text: str) -> str:
    return " ".join(text.split())[:SHOWN_CHARACTERS] or "no body"


def _json_or_none(content: bytes) -> Any:
    try:
        return from_json(content)
    except ValueError:
        return None


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds. Its other form, a date, is rare in APIs and not read."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e6 else None
