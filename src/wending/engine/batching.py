"""Turns a step's plan into the arrays the model takes. Here, block tables become addresses."""

from __future__ import annotations

from collections.abc import Sequence as Sequence_

import numpy as np
from numpy.typing import NDArray

from wending.engine.scheduler import Chunk
from wending.model.batch import ForwardBatch


def build_batch(chunks: Sequence_[Chunk], block_size: int) -> ForwardBatch:
    """The ForwardBatch of at least one chunk: their tokens in order; for each chunk that needs logits a row
    for its last token and one for each guessed token."""
    # Lists first: most steps have few tokens, and then each array operation costs more than the tokens do.
    token_ids: list[int] = []
    positions: list[int] = []
    slots: list[int] = []
    sequence_rows: list[int] = []
    logit_rows: list[int] = []
    for row, (sequence, start, end, needs_logits, draft) in enumerate(chunks):
        table = sequence.block_table
        token_ids += sequence.token_ids[start:end]
        if needs_logits:
            logit_rows += range(len(token_ids) - 1, len(token_ids) + len(draft))
        token_ids += draft
        places = range(start, end + len(draft))
        positions += places
        slots += [table[place // block_size] * block_size + place % block_size for place in places]
        sequence_rows += [row] * len(places)
    return ForwardBatch(
        token_ids=np.array(token_ids, dtype=np.int32),
        positions=np.array(positions, dtype=np.int32),
        slots=np.array(slots, dtype=np.int32),
        sequence_rows=np.array(sequence_rows, dtype=np.int32),
        block_tables=_block_tables([chunk.sequence.block_table for chunk in chunks]),
        logit_rows=np.array(logit_rows, dtype=np.int32),
    )


def _block_tables(tables: Sequence_[list[int]]) -> NDArray[np.int32]:
    """The block tables as rows of equal length, unused entries 0: int32 [S, B]."""
    padded = np.zeros((len(tables), max(map(len, tables))), dtype=np.int32)
    for row, table in enumerate(tables):
        padded[row, : len(table)] = table
    return padded
