"""What a request says of tools: which there are, with what arguments, and whether one must be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from wending.serve.openai_errors import APIError

ANY_ARGUMENTS: dict[str, Any] = {"type": "object"}


@dataclass(frozen=True, slots=True)
class ToolDemand:
    schemas: Mapping[str, Any]
    """Of the arguments of each function, by its name, in the order of the request."""
    fields: Mapping[str, str]
    """Where in the request each of them stands."""
    must_call: str | None
    """Why text is no answer, in words; None if it is one."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self | None:
        """None if the request offers no functions. What is not understood is left to the upstream to judge.
        Raises APIError 400 for parameters that are no schema."""
        tools = body.get("tools")
        if not isinstance(tools, list):
            return None
        schemas: dict[str, Any] = {}
        fields: dict[str, str] = {}
        for i, tool in enumerate(tools):
            function = tool.get("function") if isinstance(tool, dict) else None
            if isinstance(function, dict) and isinstance(function.get("name"), str):
                name, field = function["name"], f"tools[{i}].function.parameters"
                schemas[name], fields[name] = _parameters(function, field), field
        return cls(schemas, fields, _must_call(body.get("tool_choice"))) if schemas else None


def _parameters(function: Mapping[str, Any], field: str) -> Any:
    parameters = function.get("parameters")
    if parameters is None:
        return ANY_ARGUMENTS
    if not isinstance(parameters, dict):
        message = f"Invalid value for '{field}': it must be a JSON schema, as an object."
        raise APIError(400, message, param=field, code="invalid_type")
    return parameters


def _must_call(choice: Any) -> str | None:
    if choice == "required":
        return "no function was called, and one must be"
    if isinstance(choice, dict) and isinstance(choice.get("function"), dict):
        return f"the function {choice['function'].get('name')!r} was not called, and it must be"
    return None
