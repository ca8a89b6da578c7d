"""A chat completion request as the guard sees it: what is for the guard, and what is for the upstream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from wending.serve.conversation_fields import MAX_CONTINUE
from wending.serve.guard.offered_tools import OfferedTools
from wending.serve.openai_errors import APIError, invalid_value

REPORT_HEADER = "X-Wending-Report"
ANY_OBJECT: dict[str, Any] = {"type": "object"}


@dataclass(frozen=True, slots=True)
class GuardRequest:
    body: dict[str, Any]
    """For the upstream: all that the client sent but the guard's own fields."""
    schema: Any
    """What the text of an answer must be valid against; None where any text will do."""
    stream: bool
    mode: Literal["hold", "pass"]
    report: bool
    """Whether the client wants the report also where nothing was changed."""
    continuations: int = 0
    """How many times a text that ends at its length is continued."""
    tools: OfferedTools | None = None
    """What calls of tools are held against."""

    @classmethod
    def parse(cls, body: Mapping[str, Any], headers: Mapping[str, str]) -> Self:
        """Looks only at what the guard needs; the rest is the upstream's to judge. Raises APIError 400."""
        mode = body.get("guard_stream")
        if mode not in (None, "hold", "pass"):
            raise invalid_value("guard_stream", "it must be 'hold' or 'pass'")
        stream = body.get("stream")
        if not isinstance(stream, bool | None):
            raise invalid_value("stream", "it must be true or false", "invalid_type")
        schema = _schema(body.get("response_format"))
        tools = OfferedTools.parse(body)
        if (schema is not None or tools is not None) and not _is_list_of_objects(body.get("messages")):
            raise invalid_value("messages", "it must be a list of messages", "invalid_type")
        return cls(
            {name: value for name, value in body.items() if name not in ("guard_stream", "continue")},
            schema,
            bool(stream),
            mode or "hold",
            headers.get(REPORT_HEADER) == "1",
            _continuations(body, tools),
            tools,
        )

    @property
    def has_no_free_text(self) -> bool:
        """Whether only JSON or a call will do, so that an answer that is late is of no use."""
        return self.schema is not None or (self.tools is not None and self.tools.must_call)

    @property
    def is_checked(self) -> bool:
        """Whether anything in an answer is held against the request."""
        return self.schema is not None or self.tools is not None

    @property
    def is_held(self) -> bool:
        """Whether a stream begins only when all of the answer is there."""
        return self.continuations > 0 or (self.has_no_free_text and self.mode == "hold")

    @property
    def holds_calls(self) -> bool:
        """Whether in a stream text passes as it comes, and calls of tools come when they are valid."""
        return self.tools is not None and not self.is_held and self.mode == "hold"

    @property
    def include_usage(self) -> bool:
        options = self.body.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True


def _continuations(body: Mapping[str, Any], tools: OfferedTools | None) -> int:
    """Raises APIError 400 if an answer cannot be continued so often, or not as it is asked for."""
    times = body.get("continue")
    if times is None or (type(times) is int and times == 0):
        return 0
    if type(times) is not int or not 0 <= times <= MAX_CONTINUE:
        raise invalid_value("continue", f"it must be 0 to {MAX_CONTINUE}, got {str(times)[:80]}")
    if _schema(body.get("response_format")) is not None:
        raise _not_with("response_format", "JSON that is cut off is mended or asked for again")
    if tools is not None and tools.must_call:
        raise _not_with("tool_choice", "a call that is cut off is asked for again")
    if body.get("n") not in (None, 1):
        raise _not_with("n", "one text is continued at a time")
    if body.get("logprobs"):
        raise _not_with("logprobs", "what an upstream repeats is left out, and its tokens are not known")
    if not _is_list_of_objects(body.get("messages")):
        raise invalid_value("messages", "it must be a list of messages", "invalid_type")
    return times


def _not_with(param: str, why: str) -> APIError:
    message = f"'continue' is not supported together with '{param}': {why}."
    return APIError(400, message, param="continue", code="unsupported_parameter")


def _schema(response_format: Any) -> Any:
    if not isinstance(response_format, dict):
        return None
    match response_format.get("type"):
        case "json_object":
            return ANY_OBJECT
        case "json_schema":
            named = response_format.get("json_schema")
            schema = named.get("schema") if isinstance(named, dict) else None
            if not isinstance(schema, dict | bool):
                param = "response_format.json_schema.schema"
                raise APIError(
                    400,
                    f"Invalid value for '{param}': it must be a JSON schema.",
                    param=param,
                    code="invalid_type",
                )
            return schema
        case _:
            return None


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
