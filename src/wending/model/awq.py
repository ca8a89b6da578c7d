"""AWQ checkpoints (Lin et al. 2023, https://arxiv.org/abs/2306.00978), in the layout "gemm" of AutoAWQ.

A matrix of 4 bits is kept in three tensors; a value is scales * (code - zero):
  qweight  int32 [inputs, outputs / 8]: the codes of eight successive outputs in a word, in the order ORDER
  qzeros   int32 [groups, outputs / 8]: the zeros, in the same order
  scales   float16 [groups, outputs]
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
from wending.model.weight_format import Format, largest_group

ORDER = (0, 2, 4, 6, 1, 3, 5, 7)
"""The output that each half byte of a word belongs to, the lowest first."""


class AwqPacking:
    """Reads the parts of an AWQ matrix."""

    optional: tuple[str, ...] = ()

    def __init__(self, path: Path, values: dict[str, Any]) -> None:
        """`values`: quantization_config. Raises CheckpointError that names a key that is not supported."""
        keys = QuantizationKeys(path, values)
        keys.one_of(("bits", "w_bit"), (4,))
        keys.one_of(("version",), ("gemm", "GEMM"), default="gemm")
        keys.one_of(("zero_point",), (True,), default=True)
        self.group_size = keys.group_size(("group_size", "q_group_size"))
        groups = "one group a row" if self.group_size == -1 else f"groups of {self.group_size}"
        self.name = f"AWQ, {groups}"

    def shapes(self, outputs: int, inputs: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        groups = 1 if self.group_size == -1 else -(-inputs // self.group_size)
        return {
            "qweight": ("int32", (inputs, outputs // 8)),
            "qzeros": ("int32", (groups, outputs // 8)),
            "scales": ("float", (groups, outputs)),
        }

    def format(self, _parts: Parts) -> Format:
        group = self.group_size if self.group_size != -1 else 128
        return Format("int4", largest_group(group, (32, 64, 128)) or 32, offsets=True)

    def codes(self, parts: Parts, rows: slice) -> Codes:
        scales = np.ascontiguousarray(widened(parts["scales"][:, rows]).T)
        offsets = scales * _by_outputs(parts["qzeros"], rows)
        codes = _by_outputs(parts["qweight"], rows)
        group = codes.shape[1] if self.group_size == -1 else self.group_size
        return Codes(codes, scales, offsets, 4, 0, group)


def _by_outputs(words: NDArray[np.int32], rows: slice) -> NDArray[np.uint8]:
    """uint8 [outputs of `rows`, n] of int32 [n, outputs / 8]."""
    begin, end, _ = rows.indices(words.shape[1] * 8)
    packed = unpacked(words[:, begin // 8 : end // 8].T[..., None], 4)  # [outputs / 8, n, 8]
    codes = np.empty((len(packed), 8, len(words)), np.uint8)
    for place, output in enumerate(ORDER):
        codes[:, output] = packed[..., place]
    return codes.reshape(-1, len(words))
