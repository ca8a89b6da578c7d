"""What becomes of published codes: unpacked exactly, and kept without rounding where our formats allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.kernels.test_quantized import values_of
from tests.published_checkpoints import awq_matrix, gptq_matrix, pack, pack_awq, random_blocks

from wending.model.awq import AwqPacking
from wending.model.codes import Codes
from wending.model.gguf_types import TYPES, GgufType
from wending.model.gptq import GptqPacking
from wending.model.weight_format import Format, common_format

gguf = pytest.importorskip("gguf")
QUANTISED = [kind for kind in TYPES.values() if kind.unpack]
SHAPE = (40, 512)
Floats = NDArray[np.float32]


def gptq(**keys: Any) -> GptqPacking:
    return GptqPacking(Path("config.json"), {"bits": 4, "group_size": 128} | keys)


def awq(**keys: Any) -> AwqPacking:
    return AwqPacking(Path("config.json"), {"bits": 4, "group_size": 128} | keys)


def kept(codes: Codes, format: Format) -> Floats:
    """The values of a weight of `format` that was filled with the codes."""
    weight = format.weight(*codes.codes.shape)
    ready = codes.as_format(format)
    if ready is None:
        weight.fill(0, codes.values())
    else:
        weight.fill_codes(0, ready.codes, ready.scales, ready.offsets)
    return values_of(weight)


def share(error: Floats, values: Floats) -> float:
    return float(np.linalg.norm(error) / np.linalg.norm(values))


def gguf_blocks(kind: GgufType) -> tuple[Codes, Floats]:
    """Codes of random blocks, and their values by the reference implementation."""
    generator = np.random.default_rng(3)
    number = gguf.GGMLQuantizationType[kind.name]
    if kind.name.endswith("_K"):
        data = random_blocks(kind.name, SHAPE, generator)
    else:
        data = gguf.quants.quantize(generator.normal(size=SHAPE).astype(np.float32), number)
        if kind.name == "Q8_0":
            data.reshape(len(data), -1, kind.block_bytes)[..., 5] = 0x80  # -128, which quantising never gives
    assert kind.unpack is not None
    codes = kind.unpack(data.reshape(SHAPE[0], -1, kind.block_bytes))
    return codes, gguf.quants.dequantize(data, number)


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
def test_gguf_blocks_equal_the_reference(kind: GgufType) -> None:
    codes, expected = gguf_blocks(kind)
    assert codes.codes.dtype == np.uint8
    assert int(codes.codes.max()) < 1 << codes.bits
    assert np.array_equal(codes.values(), expected)


# Q4_K's scales have 17 bits of which a half float keeps 11; the last three are rounded to 8 bits again.
LOST = {"Q4_K": 5e-4, "Q5_1": 6e-3, "Q5_K": 6e-3, "Q6_K": 6e-3}


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
def test_what_gguf_blocks_lose(kind: GgufType) -> None:
    codes, values = gguf_blocks(kind)
    lost = share(kept(codes, kind.format) - values, values)
    assert lost <= LOST.get(kind.name, 0)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("group", [32, 64, 128, 256, -1])
def test_symmetric_gptq_is_kept_exactly(bits: int, group: int) -> None:
    parts, expected = gptq_matrix(SHAPE, np.random.default_rng(0), bits, group)
    packing = gptq(bits=bits, group_size=group, sym=True)
    codes = packing.codes(parts, slice(None))
    assert np.array_equal(codes.values(), expected)
    assert packing.format(parts).precision == f"int{bits}"
    assert np.array_equal(kept(codes, packing.format(parts)), expected)


@pytest.mark.parametrize("less_one", [True, False])
@pytest.mark.parametrize("group", [32, 128, -1])
def test_gptq_with_zeros_loses_what_half_an_offset_does(group: int, less_one: bool) -> None:
    """scale * zero has 15 bits, a half float keeps 11 of them."""
    parts, expected = gptq_matrix(SHAPE, np.random.default_rng(0), 4, group, False, less_one)
    packing = gptq(group_size=group, sym=False, checkpoint_format="gptq" if less_one else "gptq_v2")
    codes = packing.codes(parts, slice(None))
    assert np.abs(codes.values() - expected).max() < 1e-7
    assert packing.format(parts).offsets
    assert share(kept(codes, packing.format(parts)) - expected, expected) < 5e-4


def test_gptq_in_the_second_format_that_says_it_is_the_first() -> None:
    parts, expected = gptq_matrix(SHAPE, np.random.default_rng(0), less_one=False)
    assert np.array_equal(gptq(sym=True).codes(parts, slice(None)).values(), expected)


@pytest.mark.parametrize("symmetric", [True, False])
def test_gptq_sorted_by_activation_is_kept_in_8_bits(symmetric: bool) -> None:
    parts, expected = gptq_matrix(SHAPE, np.random.default_rng(0), 4, 128, symmetric, True, True)
    packing = gptq(sym=symmetric, desc_act=True)
    codes = packing.codes(parts, slice(None))
    assert np.abs(codes.values() - expected).max() < 1e-7
    assert packing.format(parts) == Format("int8", 64)
    assert share(kept(codes, packing.format(parts)) - expected, expected) < 6e-3


def test_gptq_that_contradicts_itself() -> None:
    parts, _ = gptq_matrix(SHAPE, np.random.default_rng(0), symmetric=False)
    with pytest.raises(ValueError, match=r"says sym, so qzeros must hold 7 or 8 only, but holds 0, 1"):
        gptq(sym=True).codes(parts, slice(None))
    parts, _ = gptq_matrix(SHAPE, np.random.default_rng(0))
    parts["g_idx"][3] = 4
    with pytest.raises(ValueError, match="g_idx names groups 0 to 4, there are 4"):
        gptq().codes(parts, slice(None))


@pytest.mark.parametrize("group", [32, 128, -1])
def test_awq_loses_what_half_an_offset_does(group: int) -> None:
    parts, expected = awq_matrix(SHAPE, np.random.default_rng(0), group)
    packing = awq(group_size=group)
    codes = packing.codes(parts, slice(None))
    assert np.abs(codes.values() - expected).max() < 1e-7
    assert share(kept(codes, packing.format(parts)) - expected, expected) < 5e-4


def test_rows_can_be_read_in_parts() -> None:
    for packing, (parts, expected) in (
        (gptq(), gptq_matrix(SHAPE, np.random.default_rng(0))),
        (awq(), awq_matrix(SHAPE, np.random.default_rng(0))),
    ):
        for rows in (slice(0, 32), slice(32, 40)):
            assert np.abs(packing.codes(parts, rows).values() - expected[rows]).max() < 1e-7


def test_the_order_of_codes_in_a_word() -> None:
    """By hand: 1 to 8 in a column of GPTQ, in a row of AWQ."""
    one_to_eight = np.arange(1, 9)
    assert pack(one_to_eight[:, None], 4).view(np.uint32) == 0x87654321
    assert pack_awq(one_to_eight[None]).view(np.uint32) == 0x86427531


def test_matrices_that_are_kept_together() -> None:
    plain, shifted, wide = Format("int4", 32), Format("int4", 32, offsets=True), Format("int8", 64)
    assert common_format([plain, plain]) == plain
    assert common_format([plain, shifted]) == shifted
    assert common_format([Format("int4", 128), shifted]) == shifted
    assert common_format([wide, wide]) == wide
    assert common_format([shifted, wide]) == Format("int8", 32)
    assert common_format([shifted, Format("bfloat16"), wide]) == Format("bfloat16")


@pytest.mark.parametrize("name", ["Q4_0", "Q5_0", "Q8_0"])
def test_symmetric_codes_are_exact_in_8_bits_too(name: str) -> None:
    """So that one matrix of a stack may be narrower than the others."""
    kind = next(kind for kind in QUANTISED if kind.name == name)
    codes, values = gguf_blocks(kind)
    assert np.array_equal(kept(codes, Format("int8", 32)), values)
    if name == "Q4_0":
        assert np.array_equal(kept(codes, Format("int4", 32, offsets=True)), values)
