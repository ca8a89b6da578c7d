"""Writes small random checkpoints as GPTQ, AWQ and GGUF, beside the float32 values that they stand for.

GGUF files are written, and their reference values made, by the `gguf` package of llama.cpp's authors. The
packers of GPTQ and AWQ need a GPU and much else, so their layouts are written here, one code at a time, from
what AutoGPTQ (qlinear_cuda_old.py) and AutoAWQ (gemm.py) do when they pack.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.random_checkpoint import parameter_shapes, random_parameter, small_config, write_random_checkpoint

Parameters = dict[str, NDArray[np.float32]]
Tensors = dict[str, NDArray[Any]]

SHAPE = {"hidden_size": 256, "intermediate_size": 512, "num_key_value_heads": 1, "vocab_size": 320}
AWQ_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)
GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
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


def config_of(**overrides: Any) -> dict[str, Any]:
    return small_config(**(SHAPE | overrides))


def is_layer_matrix(name: str) -> bool:
    return ".layers." in name and name.endswith("_proj.weight")


def pack(codes: NDArray[np.int64], bits: int) -> NDArray[np.int32]:
    """Words [n * bits / 32, m] of codes [n, m]: successive rows, the first in the lowest bits."""
    each = 32 // bits
    words = np.zeros((len(codes) // each, codes.shape[1]), np.uint32)
    for row in range(len(codes)):
        words[row // each] |= (codes[row] << bits * (row % each)).astype(np.uint32)
    return words.view(np.int32)


def pack_awq(codes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Words [n, m / 8] of codes [n, m]."""
    words = np.zeros((len(codes), codes.shape[1] // 8), np.uint32)
    for column in range(codes.shape[1] // 8):
        for place, output in enumerate(AWQ_ORDER):
            words[:, column] |= (codes[:, column * 8 + output] << 4 * place).astype(np.uint32)
    return words.view(np.int32)


def gptq_matrix(
    shape: tuple[int, int],
    generator: np.random.Generator,
    bits: int = 4,
    group: int = 128,
    symmetric: bool = True,
    less_one: bool = True,
    sorted_by_activation: bool = False,
) -> tuple[Tensors, NDArray[np.float32]]:
    """The tensors of a random matrix [outputs, inputs], and its values."""
    outputs, inputs = shape
    groups = 1 if group == -1 else -(-inputs // group)
    order = np.arange(inputs) // (inputs if group == -1 else group)
    if sorted_by_activation:
        order = generator.permutation(order)
    codes = generator.integers(0, 1 << bits, (inputs, outputs))
    codes[:, 0] = 0  # the code that a symmetric scale of 8 bits reaches on one side only
    middle = 1 << (bits - 1)
    zeros = np.full((groups, outputs), middle)
    if not symmetric:
        zeros = generator.integers(1, 1 << bits, (groups, outputs))
    scales = (generator.uniform(0.5, 1.5, (groups, outputs)) * inputs**-0.5 * 2 / (1 << bits)).astype(
        np.float16
    )
    tensors = {
        "qweight": pack(codes, bits),
        "qzeros": np.ascontiguousarray(pack((zeros - less_one).T, bits).T),
        "scales": scales,
        "g_idx": order.astype(np.int32),
    }
    values = scales.astype(np.float32)[order] * (codes - zeros[order]).astype(np.float32)
    return tensors, np.ascontiguousarray(values.T)


def awq_matrix(
    shape: tuple[int, int], generator: np.random.Generator, group: int = 128
) -> tuple[Tensors, NDArray[np.float32]]:
    """The tensors of a random matrix [outputs, inputs], and its values."""
    outputs, inputs = shape
    groups = 1 if group == -1 else inputs // group
    codes = generator.integers(0, 16, (inputs, outputs))
    zeros = generator.integers(0, 16, (groups, outputs))
    scales = (generator.uniform(0.5, 1.5, (groups, outputs)) * inputs**-0.5 / 8).astype(np.float16)
    order = np.arange(inputs) // (inputs // groups)
    values = scales.astype(np.float32)[order] * (codes - zeros[order]).astype(np.float32)
    tensors = {"qweight": pack_awq(codes), "qzeros": pack_awq(zeros), "scales": scales}
    return tensors, np.ascontiguousarray(values.T)


def write_packed(
    folder: Path,
    quantization: Mapping[str, Any],
    matrix: Callable[[tuple[int, int], np.random.Generator], tuple[Tensors, NDArray[np.float32]]],
    changes: Mapping[str, NDArray[Any] | None] | None = None,
    **overrides: Any,
) -> Parameters:
    """A folder whose layers are packed by `matrix`, all else F16; returns what its tensors stand for.

    `changes`: tensors that are added or replaced, or taken away where None.
    """
    from safetensors.numpy import save_file

    config = config_of(**overrides)
    write_random_checkpoint(folder, config | {"quantization_config": dict(quantization)}, dtype="float16")
    generator = np.random.default_rng(5)
    tensors: Tensors = {}
    reference: Parameters = {}
    for name, shape in parameter_shapes(config).items():
        if is_layer_matrix(name):
            parts, reference[name] = matrix((shape[0], shape[1]), generator)
            tensors |= {name.removesuffix("weight") + part: values for part, values in parts.items()}
        else:
            values = random_parameter(name, shape, generator)
            # BF16 values, as of the model before it was quantised
            tensors[name] = (values.view(np.uint32) & 0xFFFF0000).view(np.float32).astype(np.float16)
            reference[name] = tensors[name].astype(np.float32)
    tensors = {name: values for name, values in (tensors | dict(changes or {})).items() if values is not None}
    save_file(tensors, folder / "model.safetensors")
    return reference


def gguf_name(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if stem in GGUF_NAMES:
        return f"{GGUF_NAMES[stem]}.{kind}"
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{GGUF_NAMES[part]}.{kind}"


def random_blocks(kind: str, shape: tuple[int, int], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Rows of random blocks of Q4_K, Q5_K or Q6_K, which the gguf package reads but does not write."""
    size, halves = {"Q4_K": (144, (0, 2)), "Q5_K": (176, (0, 2)), "Q6_K": (210, (208,))}[kind]
    blocks = generator.integers(0, 256, (shape[0], shape[1] // 256, size), dtype=np.uint8)
    # d (and m) so that the values are about as large as those of any other random matrix
    largest = {"Q4_K": 63 * 15, "Q5_K": 63 * 31, "Q6_K": 128 * 32}[kind]
    for place, factor in zip(halves, (3.0, {"Q4_K": 22.0, "Q5_K": 46.0}.get(kind, 0.0)), strict=False):
        half = (generator.uniform(0.5, 1, blocks.shape[:2]) * factor * shape[1] ** -0.5 / largest).astype(
            np.float16
        )
        blocks[..., place : place + 2] = half[..., None].view(np.uint8)
    return blocks.reshape(shape[0], -1)


def write_gguf(
    path: Path,
    type_of: Callable[[str], str],
    changes: Mapping[str, Any] | None = None,
    tensor_changes: Mapping[str, NDArray[Any] | None] | None = None,
    tokenizer: Mapping[str, Any] | None = None,
    type_of_changes: str = "F32",
    split_max_tensors: int = 0,
    **overrides: Any,
) -> Parameters:
    """A GGUF file whose matrices are of the types `type_of(name)`; returns what its tensors stand for.

    `changes` of the metadata and `tensor_changes`, by GGUF's names, replace or add, or take away where None.
    """
    import gguf

    config = config_of(**overrides)
    writer = gguf.GGUFWriter(path, "qwen2", split_max_tensors=split_max_tensors)
    for key, value in (
        gguf_metadata(config) | dict(tokenizer or small_vocabulary(config)) | dict(changes or {})
    ).items():
        add_value(writer, key, value)
    generator = np.random.default_rng(5)
    reference: Parameters = {}
    for name, shape in parameter_shapes(config).items():
        values = random_parameter(name, shape, generator)
        kind = type_of(name) if len(shape) == 2 else "F32"
        type_number = gguf.GGMLQuantizationType[kind]
        if kind in ("Q4_K", "Q5_K", "Q6_K"):
            data = random_blocks(kind, (shape[0], shape[1]), generator)
        else:
            data = gguf.quants.quantize(values, type_number)
        reference[name] = gguf.quants.dequantize(data, type_number).reshape(shape).astype(np.float32)
        if gguf_name(name) not in (tensor_changes or {}):
            writer.add_tensor(gguf_name(name), data, raw_dtype=type_number)
    for name, replacement in (tensor_changes or {}).items():
        if replacement is not None:
            writer.add_tensor(name, replacement, raw_dtype=gguf.GGMLQuantizationType[type_of_changes])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return reference


def gguf_metadata(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "general.name": "test",
        "general.file_type": np.uint32(15),
        "qwen2.block_count": np.uint32(config["num_hidden_layers"]),
        "qwen2.context_length": np.uint32(config["max_position_embeddings"]),
        "qwen2.embedding_length": np.uint32(config["hidden_size"]),
        "qwen2.feed_forward_length": np.uint32(config["intermediate_size"]),
        "qwen2.attention.head_count": np.uint32(config["num_attention_heads"]),
        "qwen2.attention.head_count_kv": np.uint32(config["num_key_value_heads"]),
        "qwen2.attention.layer_norm_rms_epsilon": np.float32(config["rms_norm_eps"]),
        "qwen2.rope.freq_base": np.float32(config["rope_theta"]),
    }


def small_vocabulary(config: Mapping[str, Any]) -> dict[str, Any]:
    """The vocabulary of `write_test_tokenizer` as metadata."""
    from tempfile import TemporaryDirectory

    from tests.random_checkpoint import CHATML_TEMPLATE, write_test_tokenizer

    with TemporaryDirectory() as folder:
        write_test_tokenizer(Path(folder))
        definition = json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))
    return vocabulary(definition, config["vocab_size"], CHATML_TEMPLATE)


def vocabulary(definition: Mapping[str, Any], rows: int, template: str) -> dict[str, Any]:
    """The metadata that llama.cpp's converter writes for a tokenizer.json."""
    added = {token["id"]: token for token in definition["added_tokens"]}
    tokens = {number: token for token, number in definition["model"]["vocab"].items()}
    tokens |= {number: token["content"] for number, token in added.items()}

    def kind(number: int) -> int:
        if number not in added:
            return 1 if number in tokens else 5
        content = added[number]["content"]
        return 3 if added[number]["special"] or (content.startswith("<|") and content.endswith("|>")) else 4

    ends = [number for number, token in added.items() if token["content"] == "<|im_end|>"]
    merges = definition["model"]["merges"]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": [tokens.get(number, f"[PAD{number}]") for number in range(rows)],
        "tokenizer.ggml.token_type": [kind(number) for number in range(rows)],
        "tokenizer.ggml.merges": [merge if isinstance(merge, str) else " ".join(merge) for merge in merges],
        "tokenizer.ggml.eos_token_id": np.uint32(ends[0]),
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": template,
    }


def add_value(writer: Any, key: str, value: Any) -> None:
    """One pair of metadata, of the type that its Python value has; None adds nothing."""
    if value is None:
        return
    if key == "general.architecture":  # the writer adds it by itself
        writer.kv_data[0][key].value = value
    elif isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, np.floating | float):
        writer.add_float32(key, float(value))
    elif isinstance(value, np.integer | int):
        writer.add_uint32(key, int(value))
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)
