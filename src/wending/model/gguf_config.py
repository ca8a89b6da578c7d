"""The configuration of a Qwen2 model out of the metadata of a GGUF file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wending.model.config import ARCHITECTURE, MODEL_TYPE, ModelConfig
from wending.model.errors import CheckpointError

# Key of the metadata, behind "qwen2.", and that of a config.json.
KEYS = {
    "block_count": "num_hidden_layers",
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
}
OPTIONAL_KEYS = {
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "rope.freq_base": "rope_theta",
}
SCALING_KEYS = {
    "factor": "factor",
    "original_context_length": "original_max_position_embeddings",
    "yarn_beta_fast": "beta_fast",
    "yarn_beta_slow": "beta_slow",
}


def gguf_config(
    path: Path, metadata: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
) -> ModelConfig:
    """The sizes and constants that the metadata names; `shapes` are those of the file's tensors.

    Embedding and head are tied where the file has no head. Raises CheckpointError that names the key at
    fault.
    """
    kind = metadata.get("general.architecture")
    if kind != MODEL_TYPE:
        raise CheckpointError(
            path, f"general.architecture {kind!r} is not supported; supported: {MODEL_TYPE!r}"
        )
    missing = [f"{MODEL_TYPE}.{key}" for key in KEYS if f"{MODEL_TYPE}.{key}" not in metadata]
    if missing:
        raise CheckpointError(path, f"its metadata lacks {', '.join(missing)}")
    if "token_embd.weight" not in shapes:
        raise CheckpointError(path, "misses the tensor token_embd.weight")
    if metadata.get(f"{MODEL_TYPE}.attention.sliding_window"):
        raise CheckpointError(path, f"{MODEL_TYPE}.attention.sliding_window is not supported")
    values: dict[str, Any] = {
        name: _shortest(metadata[f"{MODEL_TYPE}.{key}"])
        for key, name in (KEYS | OPTIONAL_KEYS).items()
        if f"{MODEL_TYPE}.{key}" in metadata
    }
    values |= {
        "model_type": MODEL_TYPE,
        "architectures": [ARCHITECTURE],
        "vocab_size": shapes["token_embd.weight"][0],
        "tie_word_embeddings": "output.weight" not in shapes,
        "rope_scaling": _rope_scaling(path, metadata),
        "eos_token_id": metadata.get("tokenizer.ggml.eos_token_id"),
    }
    config = ModelConfig.from_values(path, values)
    for key in ("rope.dimension_count", "attention.value_length"):
        size = metadata.get(f"{MODEL_TYPE}.{key}", config.head_dim)
        if size != config.head_dim:
            raise CheckpointError(
                path, f"{MODEL_TYPE}.{key} is {size}, but heads have {config.head_dim} channels"
            )
    return config


def _rope_scaling(path: Path, metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    prefix = f"{MODEL_TYPE}.rope.scaling."
    given = {key.removeprefix(prefix): value for key, value in metadata.items() if key.startswith(prefix)}
    kind = given.pop("type", "none")
    given.pop("finetuned", None)
    if kind == "none":
        return None
    scaling = {"rope_type": kind}
    for key, value in given.items():
        if key not in SCALING_KEYS:
            raise CheckpointError(
                path, f"{prefix}{key} is not supported; supported: {', '.join(SCALING_KEYS)}"
            )
        scaling[SCALING_KEYS[key]] = _shortest(value)
    return scaling


def _shortest(value: Any) -> Any:
    """A float as it was written before it became a float32: 1e-06 rather than 9.999999974752427e-07."""
    return float(str(np.float32(value))) if isinstance(value, float) else value
