"""The tensors of a checkpoint folder, in one safetensors file or in many with an index.

It knows which tensors a Qwen2 model has, and of which shape; anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.model.config import ModelConfig
from wending.model.errors import CheckpointError
from wending.model.json_file import read_json_object
from wending.model.safetensors_file import SafetensorsFile

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
EMBEDDING = "model.embed_tokens.weight"
OUTPUT_HEAD = "lm_head.weight"
# Old conversions stored the rotary frequencies, which follow from the configuration and are computed from it.
IGNORED = re.compile(r"model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq")
NAMES_SHOWN = 5


class Checkpoint:
    """The tensors of a Qwen2 checkpoint; all of them are checked for presence and shape on opening.

    Raises CheckpointError that names the file or the tensors at fault.
    """

    def __init__(self, folder: Path, config: ModelConfig) -> None:
        self.folder = folder
        self._file_of: dict[str, SafetensorsFile] = {}
        for file, names in _open_files(folder):
            for name in names:
                self._file_of[name] = file
        shapes = tensor_shapes(config)
        self._check_names(config, shapes)
        for name, shape in shapes.items():
            found = self._file_of[name].shape(name)
            if found != shape:
                message = f"tensor {name} has shape {list(found)}, config.json asks for {list(shape)}"
                raise CheckpointError(self._file_of[name].path, message)

    def tensor(self, name: str) -> NDArray[Any]:
        """The tensor as uint16 (BF16 bits) or float32; F16 is widened to float32, the others are views."""
        values = self._file_of[name].tensor(name)
        return values.astype(np.float32) if values.dtype == np.float16 else values

    def dtype(self, name: str) -> str:
        return self._file_of[name].dtype(name)

    def tensor_bytes(self, name: str) -> int:
        """Bytes of a tensor as stored."""
        return self._file_of[name].tensor(name).nbytes

    def _check_names(self, config: ModelConfig, shapes: dict[str, tuple[int, ...]]) -> None:
        found = {name for name in self._file_of if not IGNORED.fullmatch(name)}
        if config.tie_word_embeddings and OUTPUT_HEAD in found:
            self._check_tied_head()
            found.discard(OUTPUT_HEAD)
        missing, extra = sorted(shapes.keys() - found), sorted(found - shapes.keys())
        if missing:
            raise CheckpointError(self.folder, f"misses {_listed(missing)}; supported: Qwen2ForCausalLM")
        if extra:
            raise CheckpointError(self.folder, f"has {_listed(extra)} that a Qwen2ForCausalLM does not have")

    def _check_tied_head(self) -> None:
        """A stored head beside tied embeddings is harmless if it is the same matrix, else a contradiction."""
        if EMBEDDING not in self._file_of or not np.array_equal(
            self.tensor(OUTPUT_HEAD), self.tensor(EMBEDDING)
        ):
            raise CheckpointError(
                self._file_of[OUTPUT_HEAD].path,
                f"{OUTPUT_HEAD} differs from {EMBEDDING}, but config.json says tie_word_embeddings",
            )


def tensor_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a Qwen2ForCausalLM of this configuration."""
    hidden, inner = config.hidden_size, config.intermediate_size
    query = config.num_attention_heads * config.head_dim
    key_value = config.num_key_value_heads * config.head_dim
    shapes: dict[str, tuple[int, ...]] = {EMBEDDING: (config.vocab_size, hidden)}
    for layer in range(config.num_hidden_layers):
        prefix = f"model.layers.{layer}."
        shapes |= {
            prefix + "input_layernorm.weight": (hidden,),
            prefix + "self_attn.q_proj.weight": (query, hidden),
            prefix + "self_attn.q_proj.bias": (query,),
            prefix + "self_attn.k_proj.weight": (key_value, hidden),
            prefix + "self_attn.k_proj.bias": (key_value,),
            prefix + "self_attn.v_proj.weight": (key_value, hidden),
            prefix + "self_attn.v_proj.bias": (key_value,),
            prefix + "self_attn.o_proj.weight": (hidden, query),
            prefix + "post_attention_layernorm.weight": (hidden,),
            prefix + "mlp.gate_proj.weight": (inner, hidden),
            prefix + "mlp.up_proj.weight": (inner, hidden),
            prefix + "mlp.down_proj.weight": (hidden, inner),
        }
    shapes["model.norm.weight"] = (hidden,)
    if not config.tie_word_embeddings:
        shapes[OUTPUT_HEAD] = (config.vocab_size, hidden)
    return shapes


def _open_files(folder: Path) -> Iterable[tuple[SafetensorsFile, list[str]]]:
    """Each weight file with the names of its tensors."""
    index_path = folder / INDEX_FILE
    if not index_path.exists():
        if not (folder / SINGLE_FILE).exists():
            raise CheckpointError(
                folder, f"has neither {SINGLE_FILE} nor {INDEX_FILE}; supported: safetensors"
            )
        file = SafetensorsFile(folder / SINGLE_FILE)
        yield file, file.names
        return
    weight_map = read_json_object(index_path).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(name, str) for name in weight_map.values()):
        raise CheckpointError(index_path, "weight_map must be an object of tensor names and file names")
    for file_name in sorted(set(weight_map.values())):
        if Path(file_name).name != file_name:
            raise CheckpointError(index_path, f"names the file {file_name!r}, which is outside the folder")
        file = SafetensorsFile(folder / file_name)
        promised = {name for name, holder in weight_map.items() if holder == file_name}
        if promised != set(file.names):
            differing = sorted(promised ^ set(file.names))
            raise CheckpointError(file.path, f"disagrees with {INDEX_FILE} about {_listed(differing)}")
        yield file, file.names


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
    return f"{len(names)} tensor{'s' if len(names) > 1 else ''} ({shown})"
