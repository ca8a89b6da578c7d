"""Which turns of a conversation that is too long are left out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class Dropping(NamedTuple):
    """What is left out, and since when."""

    turns: int
    """How many of the oldest turns."""
    since: int
    """The number of the turn at which they had to go."""


def oldest_turns(sizes: Sequence[int], total: int, limit: int, step: int) -> Dropping:
    """The turns to leave out so that `total` tokens, `sizes` of them in turns, become at most `limit`.

    So many go that a multiple of `step` tokens is gone, and the last one stays. Hence a conversation that
    grows loses none for a while after it has lost some, and what is left keeps its beginning, which the
    prefix cache has: both results change only when the total passes the limit by another step. `total` must
    be over the limit.
    """
    ends = list(accumulate(sizes))
    too_many = -(-(total - limit) // step) * step
    turns = min(bisect_left(ends, too_many) + 1, len(sizes) - 1)
    besides = total - ends[-1]
    since = bisect_right(ends, limit + too_many - step - besides)
    return Dropping(turns, max(since, turns))
