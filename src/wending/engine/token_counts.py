"""Which tokens a text contains and how often, kept so that it can be applied to logits without a loop."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class TokenCounts:
    """A multiset of token ids that only grows. Costs memory for distinct tokens only."""

    def __init__(self, token_ids: Iterable[int] = ()) -> None:
        self._row_of: dict[int, int] = {}
        self._ids = np.empty(64, dtype=np.int64)
        self._counts = np.empty(64, dtype=np.float32)
        for token_id in token_ids:
            self.add(token_id)

    def add(self, token_id: int) -> None:
        """Count one more occurrence."""
        row = self._row_of.get(token_id)
        if row is not None:
            self._counts[row] += 1
            return
        row = self._row_of[token_id] = len(self._row_of)
        if row == len(self._ids):  # full: double
            self._ids = np.concatenate((self._ids, np.empty_like(self._ids)))
            self._counts = np.concatenate((self._counts, np.empty_like(self._counts)))
        self._ids[row] = token_id
        self._counts[row] = 1

    @property
    def ids(self) -> NDArray[np.int64]:
        """The distinct token ids, in order of first occurrence: [U]."""
        return self._ids[: len(self._row_of)]

    @property
    def counts(self) -> NDArray[np.float32]:
        """How often each of `ids` occurs: [U]."""
        return self._counts[: len(self._row_of)]
