"""SwiGLU out of gated weights, over every format: out = silu(x gates^T) * (x others^T)."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels.arrays import Floats, buffer_of, normal, relative_error
from tests.kernels.test_linear import assert_rows_are_independent, linear
from tests.kernels.test_quantized import FORMATS as QUANTISED

from wending import _kernels

FORMATS = (("bfloat16", 64, False), ("float32", 64, False), *(each[:3] for each in QUANTISED))
formats = pytest.mark.parametrize(("precision", "group", "offsets"), FORMATS)


def weight_of(values: Floats, precision: str, group: int, offsets: bool, gated: bool) -> _kernels.Weight:
    weight = _kernels.Weight(*values.shape, precision, group, offsets, gated)
    weight.fill(0, values)
    return weight


@formats
@pytest.mark.parametrize(("size", "inputs"), [(1, 3), (16, 64), (33, 65), (64, 96), (150, 130)])
def test_gates_the_products_of_both_halves(
    precision: str, group: int, offsets: bool, size: int, inputs: int
) -> None:
    values = normal(1, 2 * size, inputs)
    plain, gated = (weight_of(values, precision, group, offsets, gated) for gated in (False, True))
    for rows in (1, 2, 7, 12, 13, 40):
        x = normal(0, rows, inputs)
        gate, other = np.split(linear(x, plain).astype(np.float64), 2, axis=1)
        assert relative_error(linear(x, gated), gate / (1 + np.exp(-gate)) * other) < 1e-6


@formats
def test_a_row_does_not_depend_on_its_batch_or_on_threads(
    precision: str, group: int, offsets: bool, threads: None
) -> None:
    assert_rows_are_independent(
        normal(0, 27, 130), weight_of(normal(1, 1000, 130), precision, group, offsets, True)
    )


def test_rows_may_come_in_any_parts() -> None:
    values, x = normal(1, 140, 64), normal(0, 3, 64)
    weight = _kernels.Weight(140, 64, "int8", gated=True)
    for first, end in [(100, 140), (0, 33), (33, 100)]:
        weight.fill(first, values[first:end])
    assert np.array_equal(linear(x, weight), linear(x, weight_of(values, "int8", 64, False, True)))


def test_packed_panels_can_be_used_again() -> None:
    weight = weight_of(normal(1, 100, 96), "int4", 32, True, True)
    again = _kernels.Weight(100, 96, "int4", 32, True, True, weight.panels)
    assert again.gated
    assert again.nbytes == weight.nbytes == _kernels.weight_bytes(100, 96, "int4", 32, True, gated=True)
    assert np.array_equal(linear(normal(0, 3, 96), again), linear(normal(0, 3, 96), weight))


def test_gates_at_the_ends_of_float32() -> None:
    gates = [-1e4, -100, -87.5, -0.0, 87.5, 100, 1e4, np.inf, np.nan]
    values = np.array([gates, np.ones(len(gates))], np.float32).reshape(-1, 1)
    silu = linear(np.ones((1, 1), np.float32), weight_of(values, "float32", 64, False, True))[0]
    assert np.abs(silu[:4]).max() < 1e-30
    assert silu[4:8].tolist() == [87.5, 100, 1e4, np.inf]
    assert np.isnan(silu[8])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="an even number of outputs, not 7"):
        _kernels.Weight(7, 16, "float32", gated=True)
    weight, x = weight_of(normal(0, 8, 16), "float32", 64, False, True), buffer_of(normal(1, 2, 16))
    with pytest.raises(ValueError, match="or half of it if it is gated"):
        _kernels.linear(x, weight, None, None, _kernels.Buffer(8))
    with pytest.raises(ValueError, match="neither bias nor residual"):
        _kernels.linear(x, weight, _kernels.Vector(normal(0, 4)), None, _kernels.Buffer(4))
    cache = _kernels.KeyValueCache(1, 1, 16, 1, 16, "float32")
    one, none = np.zeros(1, np.int32), np.zeros(0, np.int32)
    batch = _kernels.Batch(cache, one, one, one, one, np.zeros((1, 1), np.int32), none)
    with pytest.raises(ValueError, match="not gated"):
        _kernels.embed(weight, batch, _kernels.Buffer(16))
