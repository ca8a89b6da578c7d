from __future__ import annotations

import numpy as np

from wending.model.logits_digest import logits_digest


def test_one_bit_of_one_logit_makes_another_digest() -> None:
    row = np.random.default_rng(1).standard_normal(1001, dtype=np.float32)
    other = row.copy()
    assert logits_digest(row) == logits_digest(other)
    other.view(np.uint32)[700] ^= 1
    assert logits_digest(row) != logits_digest(other)


def test_zeros_of_either_sign_differ() -> None:
    assert logits_digest(np.zeros(8, dtype=np.float32)) != logits_digest(-np.zeros(8, dtype=np.float32))
