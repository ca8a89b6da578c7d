"""The mean of a prompt's hidden states, taken up chunk by chunk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class HiddenStateMean:
    """A sum over the tokens so far. One token is added after the other, so that how a prompt was cut into
    chunks does not change a bit of it."""

    __slots__ = ("_count", "_sum")  # thousands of requests may wait

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | None = None
        self._count = 0

    def add(self, start: int, states: NDArray[np.float32]) -> None:
        """Take up the states of tokens `start`, `start` + 1, and so on: float32 [T, hidden_size].

        From 0 the sum begins anew, as a preempted prompt does. RuntimeError if tokens are left out.
        """
        if start == 0:
            self._sum, self._count = np.zeros(states.shape[1]), 0
        if self._sum is None or start != self._count:
            raise RuntimeError(f"hidden states of tokens from {start} follow those of {self._count} tokens")
        for state in states:
            self._sum += state
        self._count += len(states)

    def value(self) -> NDArray[np.float32]:
        """The mean of what was added: float32 [hidden_size]. RuntimeError if nothing was."""
        if self._sum is None:
            raise RuntimeError("the mean of no hidden states was asked for")
        return (self._sum / self._count).astype(np.float32)
