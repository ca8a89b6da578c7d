from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from wending.serve.schema_numbers import check_numbers


@pytest.mark.parametrize("schema", [math.nan, [1, {"a": math.inf}], {"a": [-math.inf]}])
def test_no_infinity_at_any_depth(schema: Any) -> None:
    with pytest.raises(PydanticCustomError, match="not finite"):
        check_numbers(schema)


@pytest.mark.parametrize("schema", [2**64, {"a": [-(2**63) - 1]}])
def test_no_integer_that_is_too_large(schema: Any) -> None:
    with pytest.raises(PydanticCustomError, match="64 bits"):
        check_numbers(schema)


def test_all_others_pass() -> None:
    check_numbers({"a": [1, -0.5, 1e308, None, True, "NaN", 2**64 - 1, -(2**63)]})
