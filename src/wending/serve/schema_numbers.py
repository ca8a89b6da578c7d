"""Refuses the numbers in a client's JSON schema that it would not have any more when it is written again."""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic_core import PydanticCustomError


def check_numbers(schema: Any) -> None:
    """Raises PydanticCustomError for NaN and infinities, which would be written as null (1e999 is read as
    one), and for integers beyond 64 bits, which orjson does not write."""
    try:
        json.dumps(schema, allow_nan=False)
    except ValueError as error:
        raise PydanticCustomError("schema_number", "must hold no number that is not finite") from error
    try:
        orjson.dumps(schema)
    except TypeError as error:
        raise PydanticCustomError("schema_number", "must hold no integer beyond 64 bits") from error
