from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from wending.engine.client import CompletionDelta
from wending.engine.constraint import Constraint
from wending.serve.checked_answer import checked
from wending.serve.openai_errors import APIError

INTEGER: Any = {"type": "integer"}
DRAFT_4 = {"$schema": "http://json-schema.org/draft-04/schema#"}


def check(schema: Any, text: str) -> str:
    """The text that passes, in two pieces. Raises what `checked` does."""

    async def deltas() -> AsyncGenerator[CompletionDelta, None]:
        yield CompletionDelta(0, text[:2], [1])
        yield CompletionDelta(0, text[2:], [2], finish_reason="stop")

    async def passed() -> str:
        constraint = Constraint("json_schema", json.dumps(schema), "guided_json")
        return "".join([delta.text async for delta in checked(deltas(), constraint)])

    return asyncio.run(passed())


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (INTEGER, "12"),
        (INTEGER | {"multipleOf": 7}, str(7 * 12345678901234567890123)),
        (INTEGER | DRAFT_4, "1" * 40),
        ({"const": 1e300}, "1" + 300 * "0"),
    ],
)
def test_valid_answers_pass(schema: Any, text: str) -> None:
    assert check(schema, text) == text


@pytest.mark.parametrize(
    ("schema", "text", "reason"),
    [
        (INTEGER, "1.5", "not of type"),
        (INTEGER | {"multipleOf": 7}, str(7 * 12345678901234567890123 + 1), "multiple"),
        (INTEGER, "[1", "not JSON"),
        (INTEGER, "1e999", "infinity"),
        (INTEGER, "[" * 1020 + "]" * 1020, "limit reached"),
    ],
)
def test_others_are_an_error(schema: Any, text: str, reason: str) -> None:
    with pytest.raises(APIError, match=reason) as error:
        check(schema, text)
    assert error.value.status == 500
