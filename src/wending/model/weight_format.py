"""The formats that the operations keep a weight matrix in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wending import _kernels as ops


@dataclass(frozen=True, slots=True)
class Format:
    """`group` inputs share a scale, and an offset if there are `offsets`; both for int8 and int4 only."""

    precision: Literal["bfloat16", "float32", "int8", "int4"]
    group: int = 64
    offsets: bool = False

    @property
    def bits(self) -> int:
        """Of a code, or of a value where there are no codes."""
        return {"bfloat16": 16, "float32": 32, "int8": 8, "int4": 4}[self.precision]

    def weight(self, outputs: int, inputs: int, gated: bool = False) -> ops.Weight:
        return ops.Weight(outputs, inputs, self.precision, self.group, self.offsets, gated)

    def nbytes(self, outputs: int, inputs: int) -> int:
        return ops.weight_bytes(outputs, inputs, self.precision, self.group, self.offsets)


BF16, F32, INT8 = Format("bfloat16"), Format("float32"), Format("int8")


def largest_group(group: int, groups: tuple[int, ...]) -> int | None:
    """The largest of `groups` whose groups each lie within one of `group` inputs; None if there is none."""
    return max((each for each in groups if group % each == 0), default=None)


def common_format(formats: list[Format]) -> Format:
    """The narrowest format that matrices of `formats` can be kept in together, as one stacked matrix.

    What is 4 bits everywhere stays so, with the smallest groups, and offsets where one has them. Else 8 bits
    in groups of 32, or the widest unquantised type that occurs.
    """
    if len(set(formats)) == 1:
        return formats[0]
    widest = max(formats, key=lambda each: each.bits)
    if widest.precision == "int4":
        return Format("int4", min(each.group for each in formats), any(each.offsets for each in formats))
    if widest.precision == "int8":
        return Format("int8", 32)
    return widest
