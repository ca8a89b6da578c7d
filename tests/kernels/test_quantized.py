"""8 and 4 bit weights: what they keep of the values, and what the kernels make of them, against float64."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.kernels.arrays import Floats, normal, relative_error
from tests.kernels.test_linear import assert_rows_are_independent, linear

from wending import _kernels

Float64 = NDArray[np.float64]
# precision, group, offsets, and the error that normal values may keep, as a share of their own size
FORMATS = (
    ("int8", 32, False, 0.006),
    ("int8", 64, False, 0.007),
    ("int4", 32, False, 0.11),
    ("int4", 64, False, 0.12),
    ("int4", 128, False, 0.13),
    ("int4", 32, True, 0.09),
    ("int4", 64, True, 0.10),
    ("int4", 128, True, 0.115),
)
SHAPES = ((1, 1), (31, 64), (33, 65), (64, 96), (70, 300), (130, 257))
ROW_COUNTS = (1, 2, 5, 12, 13, 31)
formats = pytest.mark.parametrize(("precision", "group", "offsets", "kept"), FORMATS)


def weight_of(values: Floats, precision: str, group: int, offsets: bool) -> _kernels.Weight:
    weight = _kernels.Weight(*values.shape, precision, group, offsets)
    weight.fill(0, values)
    return weight


def stored(weight: _kernels.Weight) -> Float64:
    """The weights as they are kept: each input alone, so large that its activation is kept exactly."""
    return linear(np.eye(weight.inputs, dtype=np.float32) * 127, weight).T.astype(np.float64) / 127


def quantised(x: Floats, group: int) -> Float64:
    """Activations as the kernels take them: bytes with a scale for each row and group of channels."""
    padded = np.pad(x, ((0, 0), (0, -x.shape[1] % group)))
    groups = padded.reshape(len(x), -1, group).astype(np.float32)
    largest = np.abs(groups).max(axis=2, keepdims=True)
    inverse = np.divide(np.float32(127), largest, out=np.zeros_like(largest), where=largest > 0)
    found = np.rint(groups * inverse).astype(np.float64) * (largest / np.float32(127))
    return found.reshape(len(x), -1)[:, : x.shape[1]]


@formats
def test_weights_are_kept_well(precision: str, group: int, offsets: bool, kept: float) -> None:
    values = normal(0, 96, 384) * np.linspace(0.001, 3, 96, dtype=np.float32)[:, None]
    error = np.abs(stored(weight_of(values, precision, group, offsets)) - values).astype(np.float64)
    shares = np.sqrt((error**2).mean(axis=1) / (values.astype(np.float64) ** 2).mean(axis=1))
    assert shares.mean() < kept


@formats
@pytest.mark.parametrize(("outputs", "inputs"), SHAPES)
def test_equals_float64(
    precision: str, group: int, offsets: bool, kept: float, outputs: int, inputs: int
) -> None:
    weight = weight_of(normal(1, outputs, inputs), precision, group, offsets)
    bias, weights = normal(2, outputs), stored(weight)
    for rows in ROW_COUNTS:
        x, residual = normal(0, rows, inputs), normal(3, rows, outputs)
        expected = quantised(x, min(group, 64)) @ weights.T + bias + residual
        assert relative_error(linear(x, weight, bias, residual), expected) < 4e-6


@formats
def test_a_row_does_not_depend_on_its_batch_or_on_threads(
    precision: str, group: int, offsets: bool, kept: float, threads: None
) -> None:
    weight = weight_of(normal(1, 500, 300), precision, group, offsets)
    assert_rows_are_independent(normal(0, 27, 300), weight)


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_large_channels_do_not_drown_the_others(precision: str) -> None:
    """Channels a thousand times larger than the rest, as Qwen2.5 has them: one scale a token would ruin it.

    With a scale for each group only the neighbours in the same group suffer, here in 2 of 14 groups.
    """
    x, values = normal(0, 8, 896), normal(1, 128, 896)
    large = [5, 40, 300]
    x[:, large] *= 1000
    values[:, large] *= 0.001  # so that the large channels do not drown the others in the exact result too
    weight = weight_of(values, precision, 64, False)
    weights, found = stored(weight), linear(x, weight)
    exact = x.astype(np.float64) @ weights.T
    one_scale = quantised(x, 896) @ weights.T

    def error(result: NDArray[np.floating]) -> float:
        return float(np.sqrt(((result - exact) ** 2).mean() / (exact**2).mean()))

    assert error(found) < 0.45
    assert error(one_scale) > 0.9


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_bfloat16_and_float32_sources_give_the_same(precision: str) -> None:
    bits = (normal(0, 40, 96).view(np.uint32) >> 16).astype(np.uint16)
    floats = (bits.astype(np.uint32) << 16).view(np.float32)
    first, second = _kernels.Weight(40, 96, precision), _kernels.Weight(40, 96, precision)
    first.fill(0, bits)
    second.fill(0, floats)
    assert np.array_equal(linear(normal(1, 3, 96), first), linear(normal(1, 3, 96), second))


@formats
def test_embedding_rows_are_the_stored_weights(
    precision: str, group: int, offsets: bool, kept: float
) -> None:
    weight = weight_of(normal(0, 70, 200), precision, group, offsets)
    cache = _kernels.KeyValueCache(1, 8, 16, 1, 16, "bfloat16")
    ids = np.arange(70, dtype=np.int32)
    zeros = np.zeros(70, np.int32)
    batch = _kernels.Batch(cache, ids, zeros, ids, zeros, np.zeros((1, 8), np.int32), zeros[:1])
    out = _kernels.Buffer(200)
    _kernels.embed(weight, batch, out)
    assert relative_error(out.numpy(), stored(weight)) < 1e-6


@formats
def test_what_is_not_finite_stays_in_its_row(precision: str, group: int, offsets: bool, kept: float) -> None:
    x, weight = normal(0, 5, 200), weight_of(normal(1, 40, 200), precision, group, offsets)
    clean = linear(x, weight)
    x[1, 150], x[3, 7] = np.nan, np.inf
    found = linear(x, weight)
    assert not np.isfinite(found[[1, 3]]).any()
    assert np.array_equal(found[[0, 2, 4]], clean[[0, 2, 4]])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    values = normal(0, 8, 64)
    values[5, 3] = value
    with pytest.raises(ValueError, match="row 5 holds a value that is not finite"):
        weight_of(values, "int8", 64, False)


def test_memory_is_known_before() -> None:
    for precision, group, offsets, _ in FORMATS:
        weight = _kernels.Weight(70, 300, precision, group, offsets)
        assert weight.nbytes == _kernels.weight_bytes(70, 300, precision, group, offsets)
    # 8 bits and half a float for 64 values, 4 bits and two halves
    assert _kernels.weight_bytes(64, 640, "int8") == 64 * 640 * (1 + 2 / 64)
    assert _kernels.weight_bytes(64, 640, "int4", 64, True) == 64 * 640 * (0.5 + 4 / 64)


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="there is no int4 with groups of 48"):
        _kernels.Weight(8, 64, "int4", 48)
    with pytest.raises(ValueError, match="there is no int8 with groups of 64 and offsets"):
        _kernels.Weight(8, 64, "int8", 64, True)
    with pytest.raises(ValueError, match="the cache is kept in bfloat16 or float32"):
        _kernels.KeyValueCache(1, 8, 16, 1, 16, "int8")
