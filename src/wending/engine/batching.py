"""Turns a step's plan into the arrays the model takes. The only place where block tables become memory
addresses."""

from __future__ import annotations

from collections.abc import Sequence as Sequence_

import numpy as np

from wending.engine.scheduler import Chunk
from wending.model.batch import ForwardBatch


def build_batch(chunks: Sequence_[Chunk], block_size: int) -> ForwardBatch:
    """The ForwardBatch of at least one chunk: tokens in order of the chunks, a logit row for each that
    needs one."""
    lengths = np.array([chunk.end - chunk.start for chunk in chunks])  # [S]
    ends = np.cumsum(lengths)  # [S] where each chunk ends among the T tokens
    starts = np.array([chunk.start for chunk in chunks])  # [S] position of each chunk's first token
    rows = np.repeat(np.arange(len(chunks), dtype=np.int32), lengths)  # [T]
    positions = np.arange(ends[-1]) + (starts - ends + lengths)[rows]  # [T]
    tables = _block_tables(chunks)  # [S, B]
    return ForwardBatch(
        token_ids=_token_ids(chunks),
        positions=positions.astype(np.int32),
        slots=(tables[rows, positions // block_size] * block_size + positions % block_size).astype(np.int32),
        sequence_rows=rows,
        block_tables=tables,
        logit_rows=(ends[[chunk.needs_logits for chunk in chunks]] - 1).astype(np.int32),
    )


def _token_ids(chunks: Sequence_[Chunk]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """The tokens of all chunks, one after another: int32 [T]."""
    token_ids: list[int] = []
    for chunk in chunks:
        token_ids += chunk.sequence.token_ids[chunk.start : chunk.end]
    return np.array(token_ids, dtype=np.int32)


def _block_tables(chunks: Sequence_[Chunk]) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """The block tables as rows of equal length, unused entries 0: int32 [S, B]."""
    tables = [chunk.sequence.block_table for chunk in chunks]
    padded = np.zeros((len(tables), max(map(len, tables))), dtype=np.int32)
    for row, table in enumerate(tables):
        padded[row, : len(table)] = table
    return padded
