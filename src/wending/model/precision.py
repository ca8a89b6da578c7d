"""How the weights of a model are kept: as stored, or quantised to 8 or 4 bits as they are loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wending import _kernels as ops
from wending.model.checkpoint import EMBEDDING, OUTPUT_HEAD, Checkpoint, tensor_shapes
from wending.model.config import ModelConfig
from wending.model.kv_cache import CacheDtype

Quant = Literal["auto", "bf16", "f32", "int8", "int4"]
"""What a user may ask for; "auto": BF16 weights as they are, any others as float32."""


@dataclass(frozen=True, slots=True)
class Format:
    """`group` inputs share a scale, and an offset if there are `offsets`; both for int8 and int4 only."""

    precision: Literal["bfloat16", "float32", "int8", "int4"]
    group: int = 64
    offsets: bool = False

    def weight(self, outputs: int, inputs: int) -> ops.Weight:
        return ops.Weight(outputs, inputs, self.precision, self.group, self.offsets)

    def nbytes(self, outputs: int, inputs: int) -> int:
        return ops.weight_bytes(outputs, inputs, self.precision, self.group, self.offsets)


@dataclass(frozen=True, slots=True)
class Precision:
    """Formats of the layers' matrices, and of embedding and output head; dtype of the KV cache."""

    name: Literal["bf16", "f32", "int8", "int4"]
    layers: Format
    ends: Format
    cache: CacheDtype

    def of(self, tensor: str) -> Format:
        return self.ends if tensor in (EMBEDDING, OUTPUT_HEAD) else self.layers

    def weight_bytes(self, config: ModelConfig) -> int:
        """What all weights take: matrices in their formats, vectors in float32."""
        return sum(
            4 * math.prod(shape) if len(shape) == 1 else self.of(name).nbytes(shape[0], shape[1])
            for name, shape in tensor_shapes(config).items()
        )


_BF16, _F32, _INT8 = Format("bfloat16"), Format("float32"), Format("int8")
# Embedding and head stay at 8 bits beside layers of 4: see docs/performance.md for what that is worth.
PRECISIONS: Mapping[str, Precision] = {
    "bf16": Precision("bf16", _BF16, _BF16, "bfloat16"),
    "f32": Precision("f32", _F32, _F32, "float32"),
    "int8": Precision("int8", _INT8, _INT8, "bfloat16"),
    "int4": Precision("int4", Format("int4", 64, offsets=True), _INT8, "bfloat16"),
}


def check_quant(quant: str) -> None:
    """Raises ValueError for what is no precision."""
    if quant != "auto" and quant not in PRECISIONS:
        raise ValueError(f"quant must be auto, {', '.join(PRECISIONS)}; is {quant!r}")


def precision_of(quant: Quant, checkpoint: Checkpoint) -> Precision:
    """The precision asked for, or for "auto" the one the checkpoint is stored in."""
    if quant == "auto":
        return PRECISIONS["bf16" if checkpoint.dtype(EMBEDDING) == "bfloat16" else "f32"]
    return PRECISIONS[quant]
