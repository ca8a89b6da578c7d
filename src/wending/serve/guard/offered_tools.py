"""The functions that a request offers, and what it says about calling them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from wending.serve.openai_errors import invalid_value
from wending.serve.tool_fields import NO_ARGUMENTS


@dataclass(frozen=True, slots=True)
class OfferedTools:
    """Tools of other types than "function" are the upstream's business, and so are their calls."""

    schemas: dict[str, Any]
    """Of the arguments of each function that may be called, by its name."""
    by_field: dict[str, Any]
    """All schemas, by the field of the request that holds them; also of what `tool_choice` leaves out."""
    must_call: bool
    """Whether an answer without a call is none: `tool_choice` is "required" or names a function."""
    one_at_a_time: bool

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self | None:
        """None if no function is offered. Raises APIError 400 for what cannot be held to.

        What is no function with a name, and a `tool_choice` of another form, is the upstream's to judge.
        """
        schemas, by_field = _functions(body.get("tools"))
        if not schemas:
            return None
        choice = body.get("tool_choice")
        wanted = _wanted(choice)
        if wanted is not None and wanted not in schemas:
            message = f"'{wanted[:80]}' is none of the tools, which are: {', '.join(list(schemas)[:10])}"
            raise invalid_value("tool_choice.function.name", message)
        callable_names = {wanted} if wanted is not None else set() if choice == "none" else set(schemas)
        return cls(
            {name: schema for name, schema in schemas.items() if name in callable_names},
            by_field,
            wanted is not None or choice == "required",
            body.get("parallel_tool_calls") is False,
        )

    def why_not(self, name: Any) -> str:
        """What is wrong with calling `name`, which is none of those that may be called."""
        if not isinstance(name, str) or not name:
            return "the call names no function"
        if not self.schemas:
            return f"'{name[:80]}' was called, but no function may be called"
        known = ", ".join(list(self.schemas)[:20])
        return f"there is no function '{name[:80]}' to be called; what may be called: {known}"


def _functions(tools: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schemas of all functions' arguments, by name and by field."""
    schemas: dict[str, Any] = {}
    by_field: dict[str, Any] = {}
    for i, tool in enumerate(tools if isinstance(tools, list) else ()):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str):
            continue
        field = f"tools[{i}].function.parameters"
        parameters = function.get("parameters")
        if not isinstance(parameters, dict | None):
            raise invalid_value(field, "it must be a JSON schema, as an object", "invalid_type")
        # Arguments are an object in any case.
        schemas[name] = NO_ARGUMENTS if parameters is None else {"type": "object"} | parameters
        by_field[field] = schemas[name]
    return schemas, by_field


def _wanted(choice: Any) -> str | None:
    """The name of the one function that must be called."""
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None
