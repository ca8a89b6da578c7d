from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from wending.serve.finite import check_finite


@pytest.mark.parametrize("value", [math.nan, [1, {"a": math.inf}], {"a": [-math.inf]}])
def test_no_infinity_at_any_depth(value: Any) -> None:
    with pytest.raises(PydanticCustomError, match="not finite"):
        check_finite(value)


def test_what_json_has_passes() -> None:
    check_finite({"a": [1, -0.5, 1e308, None, True, "NaN", 10**400]})
