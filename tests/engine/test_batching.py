from __future__ import annotations

from array import array

import numpy as np

from wending.engine.batching import build_batch
from wending.engine.scheduler import Chunk
from wending.engine.sequence import Sequence


def sequence(token_ids: list[int], block_table: list[int]) -> Sequence:
    one = Sequence(0, token_ids, 100)
    one.block_table = block_table
    return one


def test_prefill_chunk_and_decode_in_one_batch() -> None:
    prompt = sequence([10, 11, 12, 13, 14, 15, 16], [7, 3])
    decoding = sequence([20, 21, 22, 23, 24, 25], [5, 1, 9])
    batch = build_batch([Chunk(decoding, 5, 6, True), Chunk(prompt, 2, 6, False)], block_size=4)
    assert batch.token_ids.tolist() == [25, 12, 13, 14, 15]
    assert batch.positions.tolist() == [5, 2, 3, 4, 5]
    assert batch.slots.tolist() == [1 * 4 + 1, 7 * 4 + 2, 7 * 4 + 3, 3 * 4 + 0, 3 * 4 + 1]
    assert batch.sequence_rows.tolist() == [0, 1, 1, 1, 1]
    assert batch.block_tables.tolist() == [[5, 1, 9], [7, 3, 0]]
    assert batch.logit_rows.tolist() == [0]


def test_logits_are_asked_for_where_a_sequence_ends_and_nowhere_else() -> None:
    one, two = sequence([1, 2, 3], [0]), sequence([4, 5], [1])
    assert build_batch([Chunk(one, 0, 3, True), Chunk(two, 0, 2, True)], 4).logit_rows.tolist() == [2, 4]
    assert build_batch([Chunk(one, 0, 2, False)], 4).logit_rows.tolist() == []


def test_guessed_tokens_follow_the_sequence_and_get_logits_each() -> None:
    one, two = sequence([1, 2, 3], [2, 5]), sequence([4], [1])
    chunks = [Chunk(one, 2, 3, True, array("i", [8, 9])), Chunk(two, 0, 1, True)]
    batch = build_batch(chunks, 4)
    assert batch.token_ids.tolist() == [3, 8, 9, 4]
    assert batch.positions.tolist() == [2, 3, 4, 0]
    assert batch.slots.tolist() == [10, 11, 20, 4]
    assert batch.sequence_rows.tolist() == [0, 0, 0, 1]
    assert batch.logit_rows.tolist() == [0, 1, 2, 3]


def test_arrays_are_contiguous_int32() -> None:
    batch = build_batch([Chunk(sequence([1, 2, 3], [0]), 0, 3, True)], 4)
    for each in (
        batch.token_ids,
        batch.positions,
        batch.slots,
        batch.sequence_rows,
        batch.block_tables,
        batch.logit_rows,
    ):
        assert each.dtype == np.int32
        assert each.flags.c_contiguous
