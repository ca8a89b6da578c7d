"""GPTQ checkpoints (Frantar et al. 2022, https://arxiv.org/abs/2210.17323), as AutoGPTQ writes them.

A matrix of 4 or 8 bits is kept in four tensors; a value is scales * (code - zero):
  qweight  int32 [inputs * bits / 32, outputs]: the codes of successive inputs, the first in the lowest bits
  qzeros   int32 [groups, outputs * bits / 32]: the zeros of successive outputs, less one in the first format
  scales   float16 [groups, outputs]
  g_idx    int32 [inputs]: the group of each input; out of order where inputs were sorted by activation
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.model.checkpoint import widened
from wending.model.codes import Codes
from wending.model.folder_checkpoint import Parts
from wending.model.group_packing import QuantizationKeys, unpacked
from wending.model.weight_format import INT8, Format, largest_group


class GptqPacking:
    """Reads the parts of a GPTQ matrix."""

    optional: tuple[str, ...] = ("g_idx",)

    def __init__(self, path: Path, values: dict[str, Any]) -> None:
        """`values`: quantization_config. Raises CheckpointError that names a key that is not supported."""
        keys = QuantizationKeys(path, values)
        self.bits: int = keys.one_of(("bits",), (4, 8))
        self.group_size = keys.group_size(("group_size",))
        self.symmetric: bool = keys.one_of(("sym",), (True, False), default=True)
        kind = keys.one_of(("checkpoint_format", "format"), ("gptq", "gptq_v2"), default="gptq")
        keys.one_of(("is_marlin_format",), (False,), default=False)
        self.zeros_less_one = kind == "gptq"
        groups = "one group a row" if self.group_size == -1 else f"groups of {self.group_size}"
        self.name = f"GPTQ, {groups}"

    def shapes(self, outputs: int, inputs: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        groups = 1 if self.group_size == -1 else -(-inputs // self.group_size)
        return {
            "qweight": ("int32", (inputs * self.bits // 32, outputs)),
            "qzeros": ("int32", (groups, outputs * self.bits // 32)),
            "scales": ("float", (groups, outputs)),
            "g_idx": ("int32", (inputs,)),
        }

    def format(self, parts: Parts) -> Format:
        if self.bits == 4 and self._group_index(parts) is None:
            group = self.group_size if self.group_size != -1 else 128
            return Format("int4", largest_group(group, (32, 64, 128)) or 32, not self.symmetric)
        return INT8 if self.group_size == -1 or self.group_size % INT8.group == 0 else Format("int8", 32)

    def codes(self, parts: Parts, rows: slice) -> Codes:
        codes = unpacked(parts["qweight"][:, rows].T, self.bits)
        scales = np.ascontiguousarray(widened(parts["scales"][:, rows]).T)
        inputs = codes.shape[1]
        middle, offsets = 0, None
        if self.symmetric:
            middle = self._middle(parts["qzeros"])
        else:
            zeros = unpacked(parts["qzeros"], self.bits)[:, rows].T
            if self.zeros_less_one:
                zeros = zeros + np.uint8(1) & np.uint8((1 << self.bits) - 1)
            offsets = scales * zeros
        group = inputs if self.group_size == -1 else self.group_size
        order = self._group_index(parts)
        if order is not None:
            group, scales = 1, scales[:, order]
            offsets = None if offsets is None else offsets[:, order]
        return Codes(codes, scales, offsets, self.bits, middle, group)

    def _middle(self, qzeros: NDArray[np.int32]) -> int:
        """The one zero of a symmetric matrix. Some packers leave out the "less one" and do not say so."""
        middle = 1 << (self.bits - 1)
        found = np.unique(unpacked(qzeros, self.bits))
        if len(found) != 1 or found[0] not in (middle - 1, middle):
            raise ValueError(
                f"quantization_config says sym, so qzeros must hold {middle - 1} or {middle} only, "
                f"but holds {', '.join(map(str, found[:4]))}"
            )
        return middle

    def _group_index(self, parts: Parts) -> NDArray[np.int32] | None:
        """The group of each input, or None where groups follow each other."""
        index = parts.get("g_idx")
        if index is None or self.group_size == -1:
            return None
        if np.array_equal(index, np.arange(len(index)) // self.group_size):
            return None
        groups = len(parts["scales"])
        if index.min() < 0 or index.max() >= groups:
            raise ValueError(f"g_idx names groups {index.min()} to {index.max()}, there are {groups}")
        return index
