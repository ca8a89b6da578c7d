"""How often each cell is run within a budget of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Cell = TypeVar("Cell")


def runs_to_do(
    cost: Mapping[Cell, float], done: Mapping[Cell, int], wanted: int, seconds: float
) -> dict[Cell, int]:
    """Further runs of each cell, so that as many as possible reach `wanted` within `seconds`.

    One run after the other is given to the cell that has taken least time so far: cheap cells are run
    `wanted` times, and the expensive ones share what is left.
    """
    planned = dict.fromkeys(cost, 0)
    while True:
        open_cells = [
            cell
            for cell, one in cost.items()
            if done.get(cell, 0) + planned[cell] < wanted and one <= seconds
        ]
        if not open_cells:
            return planned
        chosen = min(open_cells, key=lambda cell: cost[cell] * (done.get(cell, 0) + planned[cell]))
        planned[chosen] += 1
        seconds -= cost[chosen]
