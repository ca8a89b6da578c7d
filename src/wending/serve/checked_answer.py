"""Validates constrained answers once more, with another program than the one that made them valid."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import jsonschema_rs
import orjson

from wending.engine.client import CompletionDelta
from wending.engine.constraint import Constraint
from wending.serve.openai_errors import APIError


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
    if constraint.kind == "choice":
        return None if text in orjson.loads(constraint.source) else "it is none of the choices"
    if constraint.kind != "json_schema":
        return None
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"it is not JSON: {error}"
    try:
        jsonschema_rs.validate(orjson.loads(constraint.source), answer)
    except jsonschema_rs.ValidationError as error:
        return error.message[:300]
    return None
