"""What every checkpoint offers, whatever files it is in: the tensors of a Qwen2 model, by their names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.model.codes import Codes
from wending.model.config import ModelConfig
from wending.model.weight_format import BF16, F32, Format

EMBEDDING = "model.embed_tokens.weight"
OUTPUT_HEAD = "lm_head.weight"
NAMES_SHOWN = 5
ALL_ROWS = slice(None)


class Checkpoint(ABC):
    """The tensors of a Qwen2 model. All of them were checked for presence, type and shape on opening.

    path       folder or file, for messages
    config     sizes and constants of the model
    published  how the matrices were quantised before they were published, such as "GPTQ, groups of 128";
               empty where they were not
    """

    path: Path
    config: ModelConfig
    published: str = ""

    @property
    @abstractmethod
    def files(self) -> list[Path]:
        """Every file that the weights follow from."""

    @abstractmethod
    def dtype(self, name: str) -> str:
        """ "bfloat16", "float16", "float32", or the name of a type of 8 bits or fewer a value."""

    @abstractmethod
    def tensor(self, name: str, rows: slice = ALL_ROWS) -> NDArray[Any]:
        """The tensor, or some of its rows, as uint16 (BF16 bits) or float32; what is quantised as float32."""

    @abstractmethod
    def tensor_bytes(self, name: str) -> int:
        """Bytes of a tensor as stored."""

    def format(self, name: str) -> Format:
        """The format to keep a matrix in so that it stays as it was published."""
        return BF16 if self.dtype(name) == "bfloat16" else F32

    def codes(self, _name: str, _rows: slice = ALL_ROWS) -> Codes | None:
        """Rows of a matrix as codes, or None where it is not quantised."""
        return None

    def release(self, _name: str) -> None:
        """Gives the memory of a tensor's file pages back; they are read again if they are needed again."""
        return


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


def stacks(config: ModelConfig) -> Iterator[tuple[str, ...]]:
    """Names of the matrices that are kept as one, stacked by outputs; most stand alone."""
    yield (EMBEDDING,)
    for layer in range(config.num_hidden_layers):
        prefix = f"model.layers.{layer}."
        yield tuple(f"{prefix}self_attn.{name}_proj.weight" for name in "qkv")
        yield (prefix + "self_attn.o_proj.weight",)
        yield prefix + "mlp.gate_proj.weight", prefix + "mlp.up_proj.weight"
        yield (prefix + "mlp.down_proj.weight",)
    if not config.tie_word_embeddings:
        yield (OUTPUT_HEAD,)


def widened(values: NDArray[Any]) -> NDArray[np.float32]:
    """BF16 bits, F16 or float32 as float32."""
    if values.dtype == np.uint16:
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32, copy=False)


def listed(names: list[str]) -> str:
    """The number of tensors and the first of their names, for a message."""
    shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
    return f"{len(names)} tensor{'s' if len(names) > 1 else ''} ({shown})"
