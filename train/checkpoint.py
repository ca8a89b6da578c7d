"""Writes and reads the standard checkpoint folder: config, BF16 weights, tokenizer, generation defaults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from train.model import Qwen2, Qwen2Shape
from train.tokenizer import tokenizer_config


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def save(folder: Path, weights: dict[str, Tensor], shape: Qwen2Shape, tokenizer: Tokenizer) -> None:
    """Writes everything but the model card; `weights` are rounded to BF16."""
    folder.mkdir(parents=True, exist_ok=True)
    end, stop = tokenizer.token_to_id("<|im_end|>"), tokenizer.token_to_id("<|endoftext|>")
    write_json(
        folder / "config.json",
        {
            "architectures": ["Qwen2ForCausalLM"],
            "attention_dropout": 0.0,
            "bos_token_id": stop,
            "eos_token_id": end,
            "hidden_act": "silu",
            "initializer_range": 0.02,
            "max_window_layers": shape.num_hidden_layers,
            "model_type": "qwen2",
            "sliding_window": shape.max_position_embeddings,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "use_sliding_window": False,
        }
        | shape.config(),
    )
    write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": stop,
            "pad_token_id": stop,
            "eos_token_id": [end, stop],
            "do_sample": True,
            "temperature": 0.7,
            "top_p": 0.9,
        },
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", tokenizer_config(tokenizer, shape.max_position_embeddings))
    rounded = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in weights.items()}
    save_file(rounded, folder / "model.safetensors", metadata={"format": "pt"})


def load(folder: Path) -> tuple[Qwen2, Tokenizer]:
    """The model (float32, BF16 values) and the tokenizer of a folder that `save` wrote."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = Qwen2Shape(**{name: config[name] for name in Qwen2Shape.__dataclass_fields__})
    model = Qwen2(shape)
    model.load_state_dict(
        {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    )
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))
