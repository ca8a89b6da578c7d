"""Writes Qwen2 checkpoint folders with random weights, for tests and benchmarks, with numpy alone.

`write_random_checkpoint` makes a complete folder (config, weights, tokenizer, template, generation config).
The weights are scaled so that every part of the model matters: biases are not zero, norm weights are not one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json")
SAFETENSORS_NAMES = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}

# A matrix with more values repeats them, because drawing a gigabyte takes long. It is a prime number, so that
# no two rows are alike.
LARGEST_DRAW = 1_048_573
WRITTEN_AT_ONCE = 1 << 18

# The 22 added tokens of Qwen2.5, in order; the first 14 are special (left out of visible text).
SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
OTHER_ADDED_TOKENS = [
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
]

CHATML_TEMPLATE = """\
{%- if tools %}
    {{- '<|im_start|>system\\nTools:' }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""


def small_config(**overrides: Any) -> dict[str, Any]:
    """A config.json for any test: 2 layers, hidden size 64, 4 query heads over 2 KV heads."""
    config: dict[str, Any] = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_act": "silu",
        "hidden_size": 64,
        "intermediate_size": 160,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 320,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
        "torch_dtype": "bfloat16",
        "eos_token_id": 260,
    }
    return config | overrides


def to_bfloat16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The upper halves of float32 values, rounded to nearest even (finite values only)."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bfloat16(values: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (values.astype(np.uint32) << 16).view(np.float32)


def parameter_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a Qwen2ForCausalLM checkpoint."""
    hidden, inner, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    query, key_value = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocab, hidden)}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        shapes[prefix + "input_layernorm.weight"] = (hidden,)
        for name, rows in (("q", query), ("k", key_value), ("v", key_value)):
            shapes[f"{prefix}self_attn.{name}_proj.weight"] = (rows, hidden)
            shapes[f"{prefix}self_attn.{name}_proj.bias"] = (rows,)
        shapes[prefix + "self_attn.o_proj.weight"] = (hidden, query)
        shapes[prefix + "post_attention_layernorm.weight"] = (hidden,)
        shapes[prefix + "mlp.gate_proj.weight"] = (inner, hidden)
        shapes[prefix + "mlp.up_proj.weight"] = (inner, hidden)
        shapes[prefix + "mlp.down_proj.weight"] = (hidden, inner)
    shapes["model.norm.weight"] = (hidden,)
    if not config.get("tie_word_embeddings", False):
        shapes["lm_head.weight"] = (vocab, hidden)
    return shapes


def random_parameter(
    name: str, shape: tuple[int, ...], generator: np.random.Generator
) -> NDArray[np.float32]:
    count = int(np.prod(shape))
    values = generator.standard_normal(min(count, LARGEST_DRAW), dtype=np.float32)
    values = np.resize(values, shape)  # repeats the draw where it is too short
    if name.endswith("norm.weight"):
        return 1 + 0.3 * values
    if name.endswith("bias"):
        return 0.5 * values
    return values * np.float32(shape[-1] ** -0.5)


def random_parameters(config: Mapping[str, Any], seed: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Every tensor in turn, so that a large checkpoint never stands in memory whole."""
    generator = np.random.default_rng(seed)
    for name, shape in parameter_shapes(config).items():
        yield name, random_parameter(name, shape, generator)


def write_safetensors(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]],
    tensors: Iterable[tuple[str, NDArray[np.float32]]],
    dtype: str,
) -> None:
    """Writes one safetensors file tensor by tensor (https://github.com/huggingface/safetensors, "Format")."""
    width = 4 if dtype == "float32" else 2
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, shape in shapes.items():
        size = int(np.prod(shape)) * width
        header[name] = {
            "dtype": SAFETENSORS_NAMES[dtype],
            "shape": list(shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little"))
        file.write(encoded)
        for _, values in tensors:
            flat = values.reshape(-1)
            for start in range(0, len(flat), WRITTEN_AT_ONCE):
                part = flat[start : start + WRITTEN_AT_ONCE]
                file.write((to_bfloat16(part) if dtype == "bfloat16" else part.astype(dtype)).data)


def write_weights(folder: Path, config: Mapping[str, Any], seed: int, dtype: str, shards: int = 1) -> None:
    """Random weights in one file, or in `shards` files with an index."""
    shapes = parameter_shapes(config)
    parameters = random_parameters(config, seed)
    if shards == 1:
        write_safetensors(folder / "model.safetensors", shapes, parameters, dtype)
        return
    names = list(shapes)
    weight_map = {}
    for shard in range(shards):
        file_name = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        own = names[shard * len(names) // shards : (shard + 1) * len(names) // shards]
        weight_map |= dict.fromkeys(own, file_name)
        tensors = [next(parameters) for _ in own]
        write_safetensors(folder / file_name, {name: shapes[name] for name in own}, tensors, dtype)
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map})
    )


def byte_alphabet() -> list[str]:
    """The 256 characters that stand for the 256 bytes in a byte-level BPE vocabulary (GPT-2's table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(rest)) for byte in range(256)]


def write_test_tokenizer(folder: Path) -> None:
    """A tiny byte-level BPE tokenizer of Qwen2.5's form: 256 bytes, merges "he" and "Ġt", 22 added tokens.

    Ids: 0..255 bytes, 256 "he", 257 "Ġt", then the added tokens from 258 (<|endoftext|>); <|im_end|> is 260.
    """
    alphabet = byte_alphabet()
    vocabulary = {character: index for index, character in enumerate(alphabet)} | {"he": 256, "Ġt": 257}
    added = [
        {"id": 258 + index, "content": content, "single_word": False, "lstrip": False, "rstrip": False}
        | {"normalized": False, "special": content in SPECIAL_TOKENS}
        for index, content in enumerate((*SPECIAL_TOKENS, *OTHER_ADDED_TOKENS))
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    words = {"type": "Split", "pattern": {"Regex": r"\s?\p{L}+|\p{N}|\s?[^\s\p{L}\p{N}]+|\s+"}}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [words | {"behavior": "Isolated", "invert": False}, byte_level],
        },
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": vocabulary,
            "merges": ["h e", "Ġ t"],
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    settings = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "chat_template.jinja").write_text(CHATML_TEMPLATE)
    (folder / "generation_config.json").write_text(
        json.dumps({"eos_token_id": [260, 258], "pad_token_id": 258})
    )


def write_random_checkpoint(
    folder: Path,
    config: Mapping[str, Any],
    seed: int = 0,
    dtype: str = "bfloat16",
    tokenizer_from: Path | None = None,
    shards: int = 1,
) -> Path:
    """Makes `folder` a whole checkpoint of the shape of `config` and returns it.

    dtype is "bfloat16", "float16" or "float32".  The tokenizer, template and generation config are copied
    from `tokenizer_from`, or are those of `write_test_tokenizer` (then vocab_size must be at least 280).
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dict(config) | {"torch_dtype": dtype}, indent=1))
    if tokenizer_from is None:
        write_test_tokenizer(folder)
    else:
        for name in TOKENIZER_FILES:
            if (tokenizer_from / name).exists():
                shutil.copyfile(tokenizer_from / name, folder / name)
    write_weights(folder, config, seed, dtype, shards)
    return folder
