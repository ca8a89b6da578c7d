"""The tensors of a model in a GGUF file, or in several that it was split into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.model.checkpoint import ALL_ROWS, EMBEDDING, OUTPUT_HEAD, Checkpoint, listed, tensor_shapes
from wending.model.codes import Codes
from wending.model.config import ModelConfig
from wending.model.errors import CheckpointError
from wending.model.gguf_config import gguf_config
from wending.model.gguf_file import GgufFile
from wending.model.gguf_types import GgufType
from wending.model.weight_format import BF16, F32, Format

PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
FLOAT_NAMES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OTHER_NAMES = {
    EMBEDDING: "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    OUTPUT_HEAD: "output.weight",
}
# How llama.cpp calls a mixture of types, by the number in general.file_type.
FILE_TYPES = {2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 14: "Q4_K_S", 15: "Q4_K_M"} | {
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
}


class GgufCheckpoint(Checkpoint):
    """The tensors of a Qwen2 model in GGUF; all of them are checked for presence and shape on opening.

    metadata  of the file, or of the first one; what belongs to the tokenizer is in it

    Raises CheckpointError that names the file and the tensor, type or key at fault.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        first = GgufFile(path)
        self.metadata: Mapping[str, Any] = first.metadata
        self._file_of: dict[str, GgufFile] = {}
        for file in [first, *_other_parts(first)]:
            for name in file.tensors:
                if name in self._file_of:
                    raise CheckpointError(
                        file.path, f"has the tensor {name}, as has {self._file_of[name].path.name}"
                    )
                self._file_of[name] = file
        self.config: ModelConfig = gguf_config(path, first.metadata, self._shapes())
        shapes = tensor_shapes(self.config)
        self._check_names(shapes)
        quantised = [name for name in shapes if self._type(name).unpack]
        if quantised:
            types = "+".join(dict.fromkeys(self._type(name).name for name in quantised))
            self.published = f"GGUF {FILE_TYPES.get(self.metadata.get('general.file_type', -1), types)}"

    def dtype(self, name: str) -> str:
        kind = self._type(name).name
        return FLOAT_NAMES.get(kind, kind)

    def tensor(self, name: str, rows: slice = ALL_ROWS) -> NDArray[Any]:
        codes = self.codes(name, rows)
        if codes is not None:
            return codes.values()
        shape = self._file_of[_gguf_name(name)].tensors[_gguf_name(name)].shape
        values = self._raw(name).view(self._type(name).numpy_type).reshape(shape)[rows]
        return values.astype(np.float32) if values.dtype == np.float16 else values

    def tensor_bytes(self, name: str) -> int:
        return self._raw(name).nbytes

    def format(self, name: str) -> Format:
        return self._type(name).format if self.published else BF16 if self._type(name).name == "BF16" else F32

    def codes(self, name: str, rows: slice = ALL_ROWS) -> Codes | None:
        kind = self._type(name)
        if kind.unpack is None:
            return None
        raw = self._raw(name)[rows]
        return kind.unpack(raw.reshape(len(raw), -1, kind.block_bytes))

    @property
    def files(self) -> list[Path]:
        return sorted({file.path for file in self._file_of.values()})

    def release(self, name: str) -> None:
        self._file_of[_gguf_name(name)].release(_gguf_name(name))

    def _type(self, name: str) -> GgufType:
        return self._file_of[_gguf_name(name)].tensors[_gguf_name(name)].type

    def _raw(self, name: str) -> NDArray[np.uint8]:
        return self._file_of[_gguf_name(name)].raw(_gguf_name(name))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: file.tensors[name].shape for name, file in self._file_of.items()}

    def _check_names(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        wanted = {_gguf_name(name): shape for name, shape in shapes.items()}
        found = self._shapes()
        missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
        if missing:
            raise CheckpointError(self.path, f"misses {listed(missing)}; supported: Qwen2 and Qwen2.5")
        if extra:
            raise CheckpointError(self.path, f"has {listed(extra)} that a Qwen2 model does not have")
        for name, shape in wanted.items():
            if found[name] != shape:
                raise CheckpointError(
                    self._file_of[name].path,
                    f"tensor {name} has shape {list(found[name])}, the metadata asks for {list(shape)}",
                )


def _gguf_name(name: str) -> str:
    """What GGUF calls a tensor of the model."""
    if name in OTHER_NAMES:
        return OTHER_NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    stem, _, kind = rest.rpartition(".")
    return f"blk.{layer}.{LAYER_NAMES[stem]}.{kind}"


def _other_parts(first: GgufFile) -> list[GgufFile]:
    """The files after the first one of a model that was split, as their names say."""
    count = first.metadata.get("split.count", 1)
    if count in (0, 1):
        return []
    match = PART.fullmatch(first.path.name)
    if match is None or int(match["count"]) != count:
        raise CheckpointError(
            first.path, f"is one of {count} parts, so its name must end in -00001-of-{count:05d}.gguf"
        )
    if int(match["number"]) != 1:
        raise CheckpointError(
            first.path, f"is part {int(match['number'])} of {count}; name the first part instead"
        )
    names = [f"{match['stem']}-{number:05d}-of-{count:05d}.gguf" for number in range(2, count + 1)]
    return [GgufFile(first.path.with_name(name)) for name in names]
