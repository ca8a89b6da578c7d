"""The requests that the tests of the guard send."""

from __future__ import annotations

from typing import Any

URL = "/v1/chat/completions"
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
GOOD = '{"name": "Li", "age": 3}'
JSON_OBJECT = {"type": "json_object"}
JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}}


def hello(**fields: Any) -> dict[str, Any]:
    return {"model": "up", "messages": [{"role": "user", "content": "Hi"}]} | fields


def person(**fields: Any) -> dict[str, Any]:
    return hello(response_format=JSON_SCHEMA) | fields


def function(name: str, parameters: Any = None, **fields: Any) -> dict[str, Any]:
    described = {"name": name} | ({} if parameters is None else {"parameters": parameters})
    return {"type": "function", "function": described | fields}


TOOLS = [function("add_person", PERSON), function("stop")]


def with_tools(**fields: Any) -> dict[str, Any]:
    return hello(tools=TOOLS) | fields


def call(arguments: Any = GOOD, name: str = "add_person", id: str = "c0", **fields: Any) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}} | fields
