from __future__ import annotations

import math
from typing import Any

import pytest

from wending.engine.errors import InvalidRequest
from wending.engine.urgency import SECONDS_OF_A_PRIORITY, Urgency


def test_a_priority_counts_as_much_as_an_arrival_some_time_earlier() -> None:
    assert Urgency().rank(100.0) == 100.0
    assert Urgency(priority=-2).rank(100.0) == Urgency().rank(100.0 - 2 * SECONDS_OF_A_PRIORITY)
    assert Urgency(priority=1).rank(0.0) > Urgency().rank(0.0)


@pytest.mark.parametrize("priority", [1.0, True, "1", None, 10**7, -(10**7)])
def test_refuses_what_is_no_priority(priority: Any) -> None:
    with pytest.raises(InvalidRequest, match="must be an integer from -1000000 to 1000000") as caught:
        Urgency(priority=priority)
    assert caught.value.field == "priority"


@pytest.mark.parametrize("deadline_s", [0, -1.0, math.inf, math.nan, True, "5"])
def test_refuses_what_is_no_deadline(deadline_s: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Urgency(deadline_s=deadline_s)
    assert caught.value.field == "deadline_s"
