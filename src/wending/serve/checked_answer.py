"""Validates constrained answers once more, with another program than the one that made them valid."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import jsonschema_rs
import orjson

from wending.engine.client import CompletionDelta
from wending.engine.constraint import Constraint
from wending.serve.openai_errors import APIError
from wending.serve.tool_calls import Arguments, CallBegin, Text, ToolCallReader


async def checked(
    deltas: AsyncGenerator[CompletionDelta, None], constraint: Constraint
) -> AsyncGenerator[CompletionDelta, None]:
    """The deltas of an answer, as they come. Raises APIError 500 in place of the last one of a completion
    whose text is not what it had to be."""
    texts: dict[int, list[str]] = {}
    async with aclosing(deltas):
        async for delta in deltas:
            text = texts.setdefault(delta.index, [])
            text.append(delta.text)
            if delta.finish_reason in ("stop", "length"):
                reason = _what_is_wrong("".join(text), constraint)
                if reason is not None:
                    message = f"The answer does not keep to '{constraint.field}': {reason}"
                    raise APIError(500, message, type="server_error", code="invalid_constrained_answer")
            yield delta


def _what_is_wrong(text: str, constraint: Constraint) -> str | None:
    """None for nothing, and for what there is no other program to ask about."""
    match constraint.kind:
        case "choice":
            return None if text in orjson.loads(constraint.source) else "it is none of the choices"
        case "json_schema":
            return _invalid(text, orjson.loads(constraint.source))
        case "tools":
            return _wrong_calls(text, orjson.loads(constraint.source))
        case _:
            return None


def _invalid(text: str, schema: Any) -> str | None:
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"it is not JSON: {error}"
    try:
        jsonschema_rs.validate(schema, answer)
    except ValueError as error:  # a ValidationError, or what is nested too deeply to say what is wrong
        return None if _is_valid_exactly(text, schema) else str(error).partition("\n")[0][:300]
    return None


def _is_valid_exactly(text: str, schema: Any) -> bool:
    """Integers beyond 64 bits were read as doubles, which need be no multiple of what the integers are."""
    try:
        return jsonschema_rs.is_valid(schema, json.loads(text))
    except RecursionError:
        return False


def _wrong_calls(text: str, asked: dict[str, Any]) -> str | None:
    """`asked`: see Constraint.source."""
    reader = ToolCallReader()
    pieces = reader.feed(text) + reader.finish()
    names = {piece.index: piece.name for piece in pieces if isinstance(piece, CallBegin)}
    if len(names) != reader.calls:
        return "a call is not complete"
    if not names:
        said = "".join(piece.text for piece in pieces if isinstance(piece, Text))
        if asked["required"]:
            return "it calls no tool"
        return None if asked["content"] is None else _invalid(said, asked["content"]["schema"])
    schemas = {tool["name"]: tool["schema"] for tool in asked["callable"]}
    for index, name in names.items():
        if name not in schemas:
            return f"it calls {name!r}, which is none of the tools"
        arguments = "".join(
            piece.text for piece in pieces if isinstance(piece, Arguments) and piece.index == index
        )
        reason = _invalid(arguments, schemas[name])
        if reason is not None:
            return f"the arguments of {name!r}: {reason}"
    return None
