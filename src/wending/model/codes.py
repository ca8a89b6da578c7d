"""A quantised matrix as it was published: whole numbers with scales, not yet in a format of the kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wending.model.weight_format import Format


@dataclass(frozen=True, slots=True)
class Codes:
    """Rows of a matrix: a value is scale * (code - middle) - offset, of the group that its input is in.

    codes    uint8 [rows, inputs], each below 2 ** `bits`
    scales   float32 [rows, groups]; `group` inputs follow each other in one group, the last may be shorter
    offsets  float32 [rows, groups], or None for zeros
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.float32]
    offsets: NDArray[np.float32] | None
    bits: int
    middle: int
    group: int

    def values(self) -> NDArray[np.float32]:
        """The matrix that the codes stand for: float32 [rows, inputs]."""
        inputs = self.codes.shape[1]
        values = self.codes.astype(np.float32)
        values -= self.middle
        values *= _spread(self.scales, self.group, inputs)
        if self.offsets is not None:
            values -= _spread(self.offsets, self.group, inputs)
        return values

    def as_format(self, format: Format) -> Codes | None:
        """The same values as the kernels take them for `format`, or None where that takes rounding again.

        Scales and offsets that are no half floats are rounded to such when they are put into a weight.
        """
        one_group = self.scales.shape[1] == 1
        if format.bits > 8 or not (one_group or self.group % format.group == 0):
            return None
        groups = -(-self.codes.shape[1] // format.group)

        def regrouped(values: NDArray[np.float32]) -> NDArray[np.float32]:
            return _spread(values, max(self.group // format.group, 1), groups)

        if format.offsets:
            if self.bits > format.bits:
                return None
            offsets = self.scales * np.float32(self.middle)
            if self.offsets is not None:
                offsets += self.offsets
            scales, offsets = regrouped(self.scales), regrouped(offsets)
            return Codes(self.codes, scales, offsets, format.bits, 0, format.group)
        middle = 1 << (format.bits - 1)
        shift = middle - self.middle
        if self.offsets is not None or shift < 0 or shift + (1 << self.bits) > 1 << format.bits:
            return None
        codes = self.codes + np.uint8(shift) if shift else self.codes
        return Codes(codes, regrouped(self.scales), None, format.bits, middle, format.group)


def _spread(values: NDArray[np.float32], times: int, count: int) -> NDArray[np.float32]:
    """Each column `times` times, cut to `count` columns."""
    if values.shape[1] == 1:
        return np.ascontiguousarray(np.broadcast_to(values, (len(values), count)))
    return np.ascontiguousarray(np.repeat(values, times, axis=1)[:, :count])
