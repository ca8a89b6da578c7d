from __future__ import annotations

import numpy as np
import pytest

from wending.engine.hidden_state_mean import HiddenStateMean

STATES = np.random.default_rng(1).standard_normal((100, 5)).astype(np.float32)


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 100])
def test_any_chunks_give_the_same_bits(chunk: int) -> None:
    mean = HiddenStateMean()
    for start in range(0, 100, chunk):
        mean.add(start, STATES[start : start + chunk])
    expected = np.zeros(5)
    for state in STATES:
        expected += state
    assert (mean.value() == (expected / 100).astype(np.float32)).all()


def test_begins_anew_from_the_first_token() -> None:
    mean = HiddenStateMean()
    mean.add(0, STATES[:40])
    mean.add(0, STATES[:10])
    mean.add(10, STATES[10:12])
    assert np.allclose(mean.value(), STATES[:12].mean(0, np.float64))


def test_tokens_that_are_left_out_are_noticed() -> None:
    mean = HiddenStateMean()
    with pytest.raises(RuntimeError, match="from 16 follow those of 0"):
        mean.add(16, STATES[16:])
    mean.add(0, STATES[:10])
    with pytest.raises(RuntimeError, match="from 16 follow those of 10"):
        mean.add(16, STATES[16:])
    with pytest.raises(RuntimeError, match="mean of no hidden states"):
        HiddenStateMean().value()
