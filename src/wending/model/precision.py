"""How the weights of a model are kept: as published, or quantised to 8 or 4 bits as they are loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from wending.model.checkpoint import EMBEDDING, OUTPUT_HEAD, Checkpoint, stacks, tensor_shapes
from wending.model.config import ModelConfig
from wending.model.kv_cache import CacheDtype
from wending.model.weight_format import BF16, F32, INT8, Format, common_format

Quant = Literal["auto", "bf16", "f32", "int8", "int4"]
"""What a user may ask for; "auto": quantised and BF16 weights as they are, any others as float32."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Formats of the layers' matrices, and of embedding and output head; dtype of the KV cache.

    name       bf16, f32, int8 or int4; with what it was published as behind it where that is kept
    published  formats of single matrices that were quantised before and stay as they are
    """

    name: str
    layers: Format
    ends: Format
    cache: CacheDtype
    published: Mapping[str, Format] = field(default_factory=dict)

    def of(self, tensor: str) -> Format:
        default = self.ends if tensor in (EMBEDDING, OUTPUT_HEAD) else self.layers
        return self.published.get(tensor, default)

    def weight_bytes(self, config: ModelConfig) -> int:
        """What all weights take: matrices in their formats, vectors in float32."""
        return sum(
            4 * math.prod(shape) if len(shape) == 1 else self.of(name).nbytes(shape[0], shape[1])
            for name, shape in tensor_shapes(config).items()
        )


# Embedding and head stay at 8 bits beside layers of 4: see docs/performance.md for what that is worth.
PRECISIONS: Mapping[str, Precision] = {
    "bf16": Precision("bf16", BF16, BF16, "bfloat16"),
    "f32": Precision("f32", F32, F32, "float32"),
    "int8": Precision("int8", INT8, INT8, "bfloat16"),
    "int4": Precision("int4", Format("int4", 64, offsets=True), INT8, "bfloat16"),
}


def check_quant(quant: str) -> None:
    """Raises ValueError for what is no precision."""
    if quant != "auto" and quant not in PRECISIONS:
        raise ValueError(f"quant must be auto, {', '.join(PRECISIONS)}; is {quant!r}")


def precision_of(quant: Quant, checkpoint: Checkpoint) -> Precision:
    """The precision asked for, or for "auto" the one that the checkpoint was published in.

    Of a quantised checkpoint, int8 and int4 keep the matrices that have as many bits already, code by code;
    bf16 and f32 widen them.
    """
    if not checkpoint.published:
        if quant == "auto":
            quant = "bf16" if checkpoint.dtype(EMBEDDING) == "bfloat16" else "f32"
        return PRECISIONS[quant]
    published = _published_formats(checkpoint)
    if quant == "auto":
        name = f"{_bits(published)} ({checkpoint.published})"
        return replace(PRECISIONS["bf16"], name=name, published=published)
    asked = PRECISIONS[quant]
    kept = {name: each for name, each in published.items() if each.bits == asked.of(name).bits <= 8}
    layers_kept = kept.keys() - {EMBEDDING, OUTPUT_HEAD}
    name = f"{quant} ({checkpoint.published})" if layers_kept else quant
    return replace(asked, name=name, published=kept)


def _published_formats(checkpoint: Checkpoint) -> dict[str, Format]:
    """The format of each matrix; of those that are kept as one, the narrowest that holds them all."""
    found: dict[str, Format] = {}
    for names in stacks(checkpoint.config):
        found |= dict.fromkeys(names, common_format([checkpoint.format(name) for name in names]))
    return found


def _bits(published: Mapping[str, Format]) -> str:
    """The precisions of the layers' matrices, the narrowest first."""
    layers = {each for name, each in published.items() if name not in (EMBEDDING, OUTPUT_HEAD)}
    return "+".join(dict.fromkeys(each.precision for each in sorted(layers, key=lambda each: each.bits)))
