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
    with pytest.raises(ValueError, match="the cache is kept in bfloat16, float32 or int8"):
        _kernels.KeyValueCache(1, 8, 16, 1, 16, "int4")


def values_of(weight: _kernels.Weight) -> Floats:
    """The weights bit for bit as they are kept, by way of the embedding."""
    cache = _kernels.KeyValueCache(1, 64, 16, 1, 16, "float32")
    ids = np.arange(weight.outputs, dtype=np.int32)
    batch = _kernels.Batch(cache, ids, ids, ids, 0 * ids, np.arange(64, dtype=np.int32)[None], ids[:0])
    out = _kernels.Buffer(weight.inputs)
    _kernels.embed(weight, batch, out)
    return out.numpy().copy()


@formats
@pytest.mark.parametrize(("outputs", "inputs"), [(33, 65), (70, 300)])
def test_codes_are_kept_bit_for_bit(
    precision: str, group: int, offsets: bool, kept: float, outputs: int, inputs: int
) -> None:
    """All codes, 0 included, which quantising to 8 bits does not use; filled in two uneven parts."""
    generator, groups = np.random.default_rng(0), -(-inputs // group)
    codes = generator.integers(0, 256 if precision == "int8" else 16, (outputs, inputs), dtype=np.uint8)
    scales, least = (generator.normal(size=(2, outputs, groups)) * 0.01).astype(np.float16).astype(np.float32)
    weight = _kernels.Weight(outputs, inputs, precision, group, offsets)
    for rows in (slice(0, 20), slice(20, outputs)):
        weight.fill_codes(rows.start, codes[rows], scales[rows], least[rows] if offsets else None)
    spread = np.repeat(scales, group, axis=1)[:, :inputs]
    middle = np.float32(0 if offsets else 128 if precision == "int8" else 8)
    expected = spread * (codes - middle)
    if offsets:
        expected -= np.repeat(least, group, axis=1)[:, :inputs]
    assert np.array_equal(values_of(weight), expected)
    x = normal(0, 13, inputs)
    product = quantised(x, min(group, 64)) @ expected.T.astype(np.float64)
    assert relative_error(linear(x, weight), product) < 4e-6


def test_the_outermost_codes_of_8_bits(instruction_set: str) -> None:
    """-128 and 127 with activations of -127 and 127: the largest sums there are."""
    codes = np.zeros((32, 64), np.uint8)
    codes[1::2] = 255
    weight = _kernels.Weight(32, 64, "int8", 64)
    weight.fill_codes(0, codes, np.ones((32, 1), np.float32))
    for x in (127, -127):
        found = linear(np.full((3, 64), x, np.float32), weight)
        assert np.array_equal(found, np.tile([x * 64.0 * -128, x * 64.0 * 127], (3, 16)))


def test_codes_that_cannot_be_kept_are_refused() -> None:
    codes, scales = np.full((8, 64), 3, np.uint8), np.ones((8, 1), np.float32)
    plain, shifted = _kernels.Weight(8, 64, "int4"), _kernels.Weight(8, 64, "int4", 64, True)
    wrong = codes.copy()
    wrong[5, 7] = 16
    with pytest.raises(ValueError, match="row 5 holds a code of more than 4 bits"):
        plain.fill_codes(0, wrong, scales)
    for value in (np.nan, np.inf, 65505.0):
        wrong_scales = scales.copy()
        wrong_scales[2] = value
        with pytest.raises(
            ValueError, match=r"row 2 holds .* a scale or offset that is not finite or above 65504"
        ):
            plain.fill_codes(0, codes, wrong_scales)
        with pytest.raises(ValueError, match="row 2 holds"):
            shifted.fill_codes(0, codes, scales, wrong_scales)
    with pytest.raises(ValueError, match="the weight has offsets, none are given"):
        shifted.fill_codes(0, codes, scales)
    with pytest.raises(ValueError, match="offsets are given, the weight has none"):
        plain.fill_codes(0, codes, scales, scales)
    with pytest.raises(ValueError, match="scales must be 8 x 1, are 8 x 2"):
        plain.fill_codes(0, codes, np.ones((8, 2), np.float32))
    with pytest.raises(ValueError, match="codes must be 8 x 64, are 8 x 63"):
        plain.fill_codes(0, codes[:, 1:].copy(), scales)
    with pytest.raises(ValueError, match="rows 1 to 9 do not fit a weight of 8 outputs"):
        plain.fill_codes(1, codes, scales)
    with pytest.raises(ValueError, match="the weight is not of 8 or 4 bits"):
        _kernels.Weight(8, 64, "float32").fill_codes(0, codes, scales)
