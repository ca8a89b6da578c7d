"""The work of one forward pass, as arrays. It knows nothing of requests or of how blocks are handed out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class ForwardBatch:
    """T tokens of S sequences; prefill and decode may be mixed. All arrays are int32.

    token_ids       [T]     ids, 0 to vocab_size - 1
    positions       [T]     position of each token in its sequence, from 0
    slots           [T]     where its key and value go: block_id * block_size + offset
    sequence_rows   [T]     row of `block_tables` that belongs to its sequence
    block_tables    [S, B]  block ids of each sequence in order; unused entries are 0
    logit_rows      [L]     which of the T tokens need logits

    A token at position p attends to keys 0 to p of its row of `block_tables`; those before the batch
    must have been written by earlier passes, those within it are written by this one.
    """

    token_ids: NDArray[np.int32]
    positions: NDArray[np.int32]
    slots: NDArray[np.int32]
    sequence_rows: NDArray[np.int32]
    block_tables: NDArray[np.int32]
    logit_rows: NDArray[np.int32]
