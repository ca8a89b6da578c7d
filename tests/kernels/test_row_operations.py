"""Embedding and RMSNorm: operations on one row at a time."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels.arrays import as_stored, buffer_of, int32, normal, relative_error, weight_of

from wending import _kernels

SIZES = (1, 2, 15, 16, 17, 64, 100, 896)


def batch_of_ids(*ids: int) -> _kernels.Batch:
    """Tokens of one sequence from position 0; only the ids matter here."""
    cache = _kernels.KeyValueCache(1, 4, 16, 1, 16, "float32")
    places = np.arange(len(ids), dtype=np.int32)
    return _kernels.Batch(cache, int32(*ids), places, places, 0 * places, int32([0, 1, 2, 3]), int32())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_embed_picks_rows(size: int, precision: str) -> None:
    table = normal(0, 77, size)
    out = _kernels.Buffer(size)
    _kernels.embed(weight_of(table, precision), batch_of_ids(0, 76, 31, 32, 33, 5, 5), out)
    assert np.array_equal(out.numpy(), as_stored(table, precision)[[0, 76, 31, 32, 33, 5, 5]])


@pytest.mark.parametrize("token_id", [-1, 77])
def test_embed_refuses_ids_outside_the_vocabulary(token_id: int) -> None:
    with pytest.raises(ValueError, match=f"token id {token_id} is outside 0 to 76"):
        _kernels.embed(weight_of(normal(0, 77, 8), "float32"), batch_of_ids(1, token_id), _kernels.Buffer(8))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_rms_norm_equals_float64(size: int, scale: float) -> None:
    x, weight = normal(0, 5, size) * np.float32(scale), normal(1, size)
    out = _kernels.Buffer(size)
    _kernels.rms_norm(buffer_of(x), _kernels.Vector(weight), 1e-6, out)
    exact = x.astype(np.float64)
    expected = exact / np.sqrt((exact**2).mean(axis=1, keepdims=True) + 1e-6) * weight
    assert relative_error(out.numpy(), expected) < 1e-6


def test_rows_do_not_depend_on_their_batch_or_on_threads(threads: None) -> None:
    x, weight = normal(0, 200, 1000), _kernels.Vector(normal(1, 1000))
    _kernels.set_threads(1)
    normed = _kernels.Buffer(1000)
    alone = []
    for row in range(len(x)):
        _kernels.rms_norm(buffer_of(x[row : row + 1]), weight, 1e-6, normed)
        alone.append(normed.numpy().copy())
    for count in (1, 2, 3):
        _kernels.set_threads(count)
        _kernels.rms_norm(buffer_of(x), weight, 1e-6, normed)
        assert np.array_equal(normed.numpy(), np.concatenate(alone))


def test_widths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="rms_norm"):
        _kernels.rms_norm(_kernels.Buffer(8), _kernels.Vector(normal(0, 9)), 1e-6, _kernels.Buffer(8))
    with pytest.raises(ValueError, match="embed"):
        _kernels.embed(weight_of(normal(0, 4, 8), "float32"), batch_of_ids(0), _kernels.Buffer(9))
