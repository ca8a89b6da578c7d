"""A chat completion request as the guard sees it: what is for the guard, and what is for the upstream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from wending.serve.openai_errors import APIError, invalid_value

REPORT_HEADER = "X-Wending-Report"
ANY_OBJECT: dict[str, Any] = {"type": "object"}


@dataclass(frozen=True, slots=True)
class GuardRequest:
    body: dict[str, Any]
    """For the upstream: all that the client sent but the guard's own field."""
    schema: Any
    """What the text of an answer must be valid against; None where any text will do."""
    stream: bool
    mode: Literal["hold", "pass"]
    report: bool
    """Whether the client wants the report also where nothing was changed."""

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
        if schema is not None and not _is_list_of_objects(body.get("messages")):
            raise invalid_value("messages", "it must be a list of messages", "invalid_type")
        return cls(
            {name: value for name, value in body.items() if name != "guard_stream"},
            schema,
            bool(stream),
            mode or "hold",
            headers.get(REPORT_HEADER) == "1",
        )

    @property
    def include_usage(self) -> bool:
        options = self.body.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True


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
