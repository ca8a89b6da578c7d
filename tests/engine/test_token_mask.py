from __future__ import annotations

import numpy as np

from wending.engine.token_mask import mask_without, without


def test_all_but_the_forbidden_tokens() -> None:
    mask = mask_without([{0, 33}, (), [69]], 70)
    assert mask.dtype == np.uint32
    assert mask.shape == (3, 3)
    allowed = [[bool(row[i // 32] >> (i % 32) & 1) for i in range(70)] for row in mask]
    assert [[i for i in range(70) if not row[i]] for row in allowed] == [[0, 33], [], [69]]


def test_taken_out_if_any_are_left() -> None:
    row = mask_without([()], 70)[0]
    row[:] = 0b101, 0, 1 << 3
    assert without([0, 64], row)
    assert row.tolist() == [0b100, 0, 1 << 3]
    assert not without([2, 67, 5], row)
    assert row.tolist() == [0b100, 0, 1 << 3]
