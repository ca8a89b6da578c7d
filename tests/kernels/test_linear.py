from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.kernels.arrays import Floats, as_stored, buffer_of, normal, relative_error, weight_of

from wending import _kernels

PRECISIONS = ("bfloat16", "float32")
# outputs and inputs that are and are not multiples of the panel (32), the lanes (16) and the pair (2)
SHAPES = ((1, 1), (15, 3), (16, 2), (31, 64), (33, 65), (64, 96), (130, 257), (320, 128))
ROW_COUNTS = (1, 2, 5, 12, 13, 31)


def linear(
    x: Floats, weight: _kernels.Weight, bias: Floats | None = None, residual: Floats | None = None
) -> Floats:
    out = _kernels.Buffer(weight.outputs // 2 if weight.gated else weight.outputs)
    _kernels.linear(
        buffer_of(x),
        weight,
        None if bias is None else _kernels.Vector(bias),
        None if residual is None else buffer_of(residual),
        out,
    )
    return out.numpy().copy()


def multiplied(x: Floats, precision: str) -> NDArray[np.float64]:
    """Activations as they are multiplied: rounded where the processor multiplies BF16 numbers itself."""
    rounds = precision == "bfloat16" and _kernels.instruction_set() == "avx512_bf16"
    return as_stored(x, "bfloat16" if rounds else "float32")


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("outputs", "inputs"), SHAPES)
@pytest.mark.parametrize("rows", ROW_COUNTS)
def test_equals_float64(rows: int, outputs: int, inputs: int, precision: str) -> None:
    x, weight = normal(0, rows, inputs), normal(1, outputs, inputs)
    bias, residual = normal(2, outputs), normal(3, rows, outputs)
    expected = multiplied(x, precision) @ as_stored(weight, precision).T + bias + residual
    found = linear(x, weight_of(weight, precision), bias, residual)
    assert relative_error(found, expected) < 2e-6


@pytest.mark.parametrize("precision", PRECISIONS)
def test_bias_and_residual_are_optional(precision: str) -> None:
    x, weight = normal(0, 3, 48), normal(1, 40, 48)
    product = multiplied(x, precision) @ as_stored(weight, precision).T
    bias, residual = normal(2, 40), normal(3, 3, 40)
    packed = weight_of(weight, precision)
    assert relative_error(linear(x, packed), product) < 2e-6
    assert relative_error(linear(x, packed, bias=bias), product + bias) < 2e-6
    assert relative_error(linear(x, packed, residual=residual), product + residual) < 2e-6


def test_residual_may_be_the_output() -> None:
    x, weight, hidden = normal(0, 14, 48), weight_of(normal(1, 40, 48), "bfloat16"), normal(3, 14, 40)
    in_place = buffer_of(hidden)
    _kernels.linear(buffer_of(x), weight, None, in_place, in_place)
    assert np.array_equal(in_place.numpy(), linear(x, weight, residual=hidden))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_row_does_not_depend_on_its_batch_or_on_threads(precision: str, threads: None) -> None:
    assert_rows_are_independent(normal(0, 40, 515), weight_of(normal(1, 1000, 515), precision))


def assert_rows_are_independent(x: Floats, weight: _kernels.Weight) -> None:
    """Each row alone on one thread, in batches of every size, and behind others, on one to three threads."""
    _kernels.set_threads(1)
    alone = np.concatenate([linear(x[row : row + 1], weight) for row in range(len(x))])
    for count in (1, 2, 3):
        _kernels.set_threads(count)
        for size in range(1, len(x)):
            assert np.array_equal(linear(x[:size], weight), alone[:size])
        assert np.array_equal(linear(x[7:], weight), alone[7:])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_matrices_may_be_stacked(precision: str) -> None:
    parts = [normal(seed, rows, 24) for seed, rows in enumerate((40, 7, 50))]
    stacked = _kernels.Weight(97, 24, precision)
    first = 0
    for part in parts:
        stacked.fill(first, part)
        first += len(part)
    x = normal(9, 3, 24)
    assert np.array_equal(linear(x, stacked), linear(x, weight_of(np.concatenate(parts), precision)))


def test_float32_rows_are_rounded_to_nearest_even_in_a_bfloat16_weight() -> None:
    identity = np.eye(64, dtype=np.float32)
    values = normal(0, 40, 64)
    values[0, :2] = 1 + np.float32(2**-8), 1 + np.float32(3 * 2**-8)
    weight = _kernels.Weight(40, 64, "bfloat16")
    weight.fill(0, values)
    found = linear(identity, weight).T
    assert np.array_equal(found, as_stored(values, "bfloat16"))
    assert found[0, :2].tolist() == [1.0, 1.015625]


def test_operands_that_do_not_fit_are_refused() -> None:
    weight, x = weight_of(normal(0, 8, 16), "float32"), buffer_of(normal(1, 2, 16))
    with pytest.raises(ValueError, match="as wide as the weight has inputs"):
        _kernels.linear(_kernels.Buffer(17), weight, None, None, _kernels.Buffer(8))
    with pytest.raises(ValueError, match="as wide as the weight has outputs"):
        _kernels.linear(x, weight, None, None, _kernels.Buffer(9))
    with pytest.raises(ValueError, match="bias"):
        _kernels.linear(x, weight, _kernels.Vector(normal(0, 7)), None, _kernels.Buffer(8))
    with pytest.raises(ValueError, match="residual"):
        _kernels.linear(x, weight, None, _kernels.Buffer(8), _kernels.Buffer(8))
    with pytest.raises(ValueError, match="do not fit a weight of 8 outputs"):
        weight.fill(5, normal(0, 4, 16))
    with pytest.raises(ValueError, match="must be 16 wide, are 15"):
        weight.fill(0, normal(0, 4, 15))
    with pytest.raises(ValueError, match="precision must be bfloat16, float32, int8 or int4, is int3"):
        _kernels.Weight(8, 16, "int3")
