"""The types of tensors in GGUF files that can be read, and how their blocks are laid out.

Layouts and numbers of the types: https://github.com/ggml-org/llama.cpp, ggml/src/ggml-common.h and ggml.h. A
row is a run of blocks; d, m and the like are IEEE half floats. Half bytes are noted low first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.model.codes import Codes
from wending.model.weight_format import BF16, F32, Format

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GgufType:
    """A type of tensor.

    block, block_bytes  values and bytes of a block
    format              the format that a matrix of this type is kept in, beside other quantised ones
    numpy_type          of a type that is not quantised
    unpack              the codes of bytes [rows, blocks, block_bytes], of a type that is
    """

    name: str
    block: int
    block_bytes: int
    format: Format
    numpy_type: str = ""
    unpack: Callable[[Bytes], Codes] | None = None


def _half(data: Bytes) -> Floats:
    """The half float of each block: float32 [rows, blocks] of [rows, blocks, 2]."""
    return np.ascontiguousarray(data).view("<f2")[..., 0].astype(np.float32)


def _flat(codes: NDArray[Any]) -> NDArray[Any]:
    return codes.reshape(len(codes), -1)


def _half_bytes(data: Bytes) -> Bytes:
    """All low half bytes, then all high ones: [..., 2 n] of [..., n]."""
    return np.concatenate([data & 15, data >> 4], axis=-1)


def _fifth_bits(data: Bytes) -> Bytes:
    """32 bits, lowest first, each as 16 or 0: [..., 32] of [..., 4]."""
    return np.unpackbits(data, axis=-1, bitorder="little") << np.uint8(4)


def _q4_0(data: Bytes) -> Codes:
    """D, half bytes [16]: d * (code - 8)."""
    return Codes(_flat(_half_bytes(data[..., 2:])), _half(data[..., :2]), None, 4, 8, 32)


def _q4_1(data: Bytes) -> Codes:
    """D, m, half bytes [16]: d * code + m."""
    codes = _flat(_half_bytes(data[..., 4:]))
    return Codes(codes, _half(data[..., :2]), -_half(data[..., 2:4]), 4, 0, 32)


def _q5_0(data: Bytes) -> Codes:
    """D, fifth bits [4], half bytes [16]: d * (code - 16)."""
    codes = _half_bytes(data[..., 6:]) | _fifth_bits(data[..., 2:6])
    return Codes(_flat(codes), _half(data[..., :2]), None, 5, 16, 32)


def _q5_1(data: Bytes) -> Codes:
    """D, m, fifth bits [4], half bytes [16]: d * code + m."""
    codes = _half_bytes(data[..., 8:]) | _fifth_bits(data[..., 4:8])
    return Codes(_flat(codes), _half(data[..., :2]), -_half(data[..., 2:4]), 5, 0, 32)


def _q8_0(data: Bytes) -> Codes:
    """D, signed bytes [32]: d * byte."""
    return Codes(_flat(data[..., 2:] ^ np.uint8(128)), _half(data[..., :2]), None, 8, 128, 32)


def _k_scales(data: Bytes) -> tuple[Floats, Floats]:
    """Scale and offset of the eight groups of a block of Q4_K or Q5_K, each float32 [rows, blocks * 8].

    They are d * s and m * t, with s and t of 6 bits in 12 bytes: the lower 6 bits of bytes 0 to 3 are s of
    the first four groups and those of 4 to 7 are t; of the last four, bytes 8 to 11 hold the lower 4 bits of
    s and of t, the upper bits of bytes 0 to 3 and 4 to 7 the other two.
    """
    first, second, third = data[..., 4:8], data[..., 8:12], data[..., 12:16]
    scales = np.concatenate([first & 63, third & 15 | first >> 6 << 4], axis=-1)
    offsets = np.concatenate([second & 63, third >> 4 | second >> 6 << 4], axis=-1)
    return (
        _flat(_half(data[..., :2])[..., None] * scales),
        _flat(_half(data[..., 2:4])[..., None] * offsets),
    )


def _k_half_bytes(data: Bytes) -> Bytes:
    """Half bytes of blocks of 256: of each 32 bytes the low ones are a group, and the high ones the next."""
    return _half_bytes(data.reshape(*data.shape[:-1], 4, 32)).reshape(*data.shape[:-1], 8, 32)


def _q4_k(data: Bytes) -> Codes:
    """D, m, s and t [12], half bytes [128]: d * s * code - m * t."""
    scales, offsets = _k_scales(data)
    return Codes(_flat(_k_half_bytes(data[..., 16:])), scales, offsets, 4, 0, 32)


def _q5_k(data: Bytes) -> Codes:
    """As Q4_K, with fifth bits [32] before the half bytes: bit g of byte i is that of value i of group g."""
    scales, offsets = _k_scales(data)
    shifts = np.arange(8, dtype=np.uint8)[:, None]
    fifth = (data[..., None, 16:48] >> shifts & 1) << np.uint8(4)
    return Codes(_flat(_k_half_bytes(data[..., 48:]) | fifth), scales, offsets, 5, 0, 32)


def _q6_k(data: Bytes) -> Codes:
    """Half bytes [128], fifth and sixth bits [64], signed s [16], d: d * s * (code - 32) in groups of 16.

    Of each 64 bytes the low half bytes are 64 values and the high ones the next 64; of each 32 bytes of the
    upper bits, bits 0 and 1 are those of 32 values, bits 2 and 3 those of the next 32, and so on.
    """
    blocks = data.shape[:-1]
    low = _half_bytes(data[..., :128].reshape(*blocks, 2, 64)).reshape(*blocks, 8, 32)
    shifts = np.arange(0, 8, 2, dtype=np.uint8)[:, None]
    upper = (data[..., 128:192].reshape(*blocks, 2, 1, 32) >> shifts & 3).reshape(*blocks, 8, 32)
    scales = _half(data[..., 208:])[..., None] * data[..., 192:208].view(np.int8)
    return Codes(_flat(low | upper << np.uint8(4)), _flat(scales), None, 6, 32, 16)


_SYMMETRIC, _WITH_OFFSETS, _EIGHT_BITS = (
    Format("int4", 32),
    Format("int4", 32, offsets=True),
    Format("int8", 32),
)
TYPES: dict[int, GgufType] = {
    0: GgufType("F32", 1, 4, F32, "<f4"),
    1: GgufType("F16", 1, 2, BF16, "<f2"),
    30: GgufType("BF16", 1, 2, BF16, "<u2"),
    2: GgufType("Q4_0", 32, 18, _SYMMETRIC, unpack=_q4_0),
    3: GgufType("Q4_1", 32, 20, _WITH_OFFSETS, unpack=_q4_1),
    6: GgufType("Q5_0", 32, 22, _EIGHT_BITS, unpack=_q5_0),
    7: GgufType("Q5_1", 32, 24, _EIGHT_BITS, unpack=_q5_1),
    8: GgufType("Q8_0", 32, 34, _EIGHT_BITS, unpack=_q8_0),
    12: GgufType("Q4_K", 256, 144, _WITH_OFFSETS, unpack=_q4_k),
    13: GgufType("Q5_K", 256, 176, _EIGHT_BITS, unpack=_q5_k),
    14: GgufType("Q6_K", 256, 210, _EIGHT_BITS, unpack=_q6_k),
}
TYPE_NAMES: dict[int, str] = {number: kind.name for number, kind in TYPES.items()} | {
    9: "Q8_1",
    10: "Q2_K",
    11: "Q3_K",
    15: "Q8_K",
    16: "IQ2_XXS",
    17: "IQ2_XS",
    18: "IQ3_XXS",
    19: "IQ1_S",
    20: "IQ4_NL",
    21: "IQ3_S",
    22: "IQ2_S",
    23: "IQ4_XS",
    24: "I8",
    25: "I16",
    26: "I32",
    27: "I64",
    28: "F64",
    29: "IQ1_M",
    34: "TQ1_0",
    35: "TQ2_0",
    39: "MXFP4",
    40: "NVFP4",
}
