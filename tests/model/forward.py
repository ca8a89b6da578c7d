"""Drives Model.forward over whole sequences, in any chunking and any company."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wending.model.batch import ForwardBatch
from wending.model.kv_cache import KVCache
from wending.model.model import Model

Logits = NDArray[np.float32]


def new_cache(
    model: Model, tokens: int, block_size: int = 16, dtype: str = "float32", seed: int = 0
) -> tuple[KVCache, NDArray[np.int32]]:
    """A cache with twice the blocks `tokens` need, and a random choice of them as a block table."""
    needed = -(-tokens // block_size)
    cache = KVCache(model.config, 2 * needed, block_size, dtype)  # type: ignore[arg-type]
    return cache, np.random.default_rng(seed).permutation(2 * needed)[:needed].astype(np.int32)


def batch_of(
    parts: Sequence[tuple[Sequence[int], int, NDArray[np.int32]]], block_size: int = 16
) -> ForwardBatch:
    """A batch of (token ids, first position, block table) per sequence, with logits for every token."""
    positions = [np.arange(first, first + len(ids), dtype=np.int32) for ids, first, _ in parts]
    slots = [
        table[where // block_size] * block_size + where % block_size
        for (_, _, table), where in zip(parts, positions, strict=True)
    ]
    tables = np.zeros((len(parts), max(len(table) for _, _, table in parts)), np.int32)
    for row, (_, _, table) in enumerate(parts):
        tables[row, : len(table)] = table
    total = sum(len(where) for where in positions)
    return ForwardBatch(
        token_ids=np.concatenate([np.array(ids, np.int32) for ids, _, _ in parts]),
        positions=np.concatenate(positions),
        slots=np.concatenate(slots).astype(np.int32),
        sequence_rows=np.repeat(np.arange(len(parts)), [len(where) for where in positions]).astype(np.int32),
        block_tables=tables,
        logit_rows=np.arange(total, dtype=np.int32),
    )


def logits_of(
    model: Model, ids: Sequence[int], chunk: int | None = None, block_size: int = 16, dtype: str = "float32"
) -> Logits:
    """Logits [len(ids), vocab_size] of one sequence, `chunk` tokens at a time (default: all at once)."""
    cache, table = new_cache(model, len(ids), block_size, dtype)
    chunk = chunk or len(ids)
    return np.concatenate(
        [
            model.forward(batch_of([(ids[first : first + chunk], first, table)], block_size), cache)
            for first in range(0, len(ids), chunk)
        ]
    )
