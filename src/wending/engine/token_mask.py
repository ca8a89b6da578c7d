"""Bit masks over the vocabulary: which tokens may be chosen, as `sample_rows` takes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

BITS = 32  # of a word


def mask_without(forbidden: Sequence[Collection[int]], vocab_size: int) -> NDArray[np.uint32]:
    """For each row all tokens but the forbidden ones.

    uint32 [L, ceil(vocab_size / 32)], in which bit i % 32 of word i // 32 stands for token i.
    """
    mask = np.full((len(forbidden), -(-vocab_size // BITS)), 2**BITS - 1, dtype=np.uint32)
    for row, token_ids in zip(mask, forbidden, strict=True):
        for token_id in token_ids:
            row[token_id // BITS] &= ~np.uint32(1 << token_id % BITS)
    return mask


def without(token_ids: Collection[int], row: NDArray[np.uint32]) -> bool:
    """Take these tokens out of a row of such a mask if that leaves any; whether it does."""
    rest = row.copy()
    for token_id in token_ids:
        rest[token_id // BITS] &= ~np.uint32(1 << token_id % BITS)
    if not rest.any():
        return False
    row[:] = rest
    return True
