"""Refuses numbers that JSON does not have, where a field may hold any JSON."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import PydanticCustomError


def check_finite(value: Any) -> None:
    """Raises PydanticCustomError for NaN and infinities in `value`; 1e999 is read as one, too.

    Written again they would become null, and something else would be asked for.
    """
    try:
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise PydanticCustomError("finite_number", "must hold no number that is not finite") from error
