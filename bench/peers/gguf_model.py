"""Makes the GGUF files of the comparison; runs in llama.cpp's environment.

    python gguf_model.py convert CHECKPOINT FILE        a checkpoint folder with BF16 weights, as a BF16 GGUF
    python gguf_model.py quantise FILE FILE q8_0|q4_0   by llama.cpp's own quantiser
    python gguf_model.py random CONFIG FILE q8_0|q4_0   random blocks of the shape in a config.json

The names of tensors and metadata are those of the `gguf` package for the architecture "qwen2".
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

WORKSPACE = 1 << 20
TENSORS_OF_A_LAYER = {
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
TENSORS_OF_THE_ENDS = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def gguf_name(name: str) -> str:
    """model.layers.3.mlp.up_proj.weight -> blk.3.ffn_up.weight"""
    if name in TENSORS_OF_THE_ENDS:
        return TENSORS_OF_THE_ENDS[name]
    _, _, layer, *middle, kind = name.split(".")
    return f"blk.{layer}.{TENSORS_OF_A_LAYER['.'.join(middle)]}.{kind}"


def write_metadata(writer: gguf.GGUFWriter, config: dict[str, Any], tokenizer_folder: Path | None) -> None:
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    if tokenizer_folder is None or not (tokenizer_folder / "tokenizer.json").exists():
        writer.add_tokenizer_model("none")
        return
    definition = json.loads((tokenizer_folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokens = [f"[PAD{index}]" for index in range(config["vocab_size"])]
    types = [gguf.TokenType.UNUSED] * len(tokens)
    for token, index in definition["model"]["vocab"].items():
        tokens[index], types[index] = token, gguf.TokenType.NORMAL
    for added in definition["added_tokens"]:
        tokens[added["id"]] = added["content"]
        types[added["id"]] = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
    merges = definition["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in merges])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_add_bos_token(False)
    writer.add_eos_token_id(config["eos_token_id"])
    settings = tokenizer_folder / "tokenizer_config.json"
    if settings.exists():
        writer.add_chat_template(json.loads(settings.read_text(encoding="utf-8"))["chat_template"])


def read_safetensors(path: Path) -> Iterator[tuple[str, NDArray[np.uint16]]]:
    """Name and bits of every BF16 tensor of a file."""
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(header_bytes))
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "BF16":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, only BF16 is converted")
        start, end = entry["data_offsets"]
        yield (
            name,
            np.memmap(path, np.uint16, "r", 8 + header_bytes + start, tuple(entry["shape"]))
            if end > start
            else np.zeros(entry["shape"], np.uint16),
        )


def convert(checkpoint: Path, file: Path) -> None:
    config = json.loads((checkpoint / "config.json").read_text())
    writer = gguf.GGUFWriter(file, "qwen2")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    write_metadata(writer, config, checkpoint)
    for name, bits in read_safetensors(checkpoint / "model.safetensors"):
        if bits.ndim == 1:  # norms and biases are kept in float32
            writer.add_tensor(gguf_name(name), (bits.astype(np.uint32) << 16).view(np.float32))
        else:
            writer.add_tensor(gguf_name(name), bits.view(np.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)
    finish(writer)


def finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantise(source: Path, file: Path, kind: str) -> None:
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = {"q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, "q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0}[
        kind
    ]
    status = llama_cpp.llama_model_quantize(str(source).encode(), str(file).encode(), params)
    if status != 0:
        raise RuntimeError(f"llama_model_quantize of {source} to {kind} answered {status}")


def random_blocks(
    kind: gguf.GGMLQuantizationType, rows: int, columns: int, numbers: np.random.Generator
) -> NDArray[np.uint8]:
    """[rows, bytes of a row]: random bits; the scale of each block is such that a product keeps its size."""
    per_block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    if columns % per_block:
        raise ValueError(f"{columns} columns are not whole blocks of {per_block}")
    # A thousand distinct rows are enough: drawing gigabytes takes long.
    drawn = numbers.integers(0, 256, (min(rows, 1009), columns // per_block, block_bytes), dtype=np.uint8)
    # Root mean square of the stored integers (times those of the inner scales in Q6_K).
    spread, scale_at = {
        gguf.GGMLQuantizationType.Q8_0: (73.9, 0),
        gguf.GGMLQuantizationType.Q4_0: (4.6, 0),
        gguf.GGMLQuantizationType.Q6_K: (18.5 * 73.9, block_bytes - 2),
    }[kind]
    scale = np.array([1 / (spread * columns**0.5)], np.float16).view(np.uint8)
    drawn[..., scale_at : scale_at + 2] = scale
    return np.resize(drawn.reshape(len(drawn), -1), (rows, columns // per_block * block_bytes))


def write_random(config_file: Path, file: Path, kind: str) -> None:
    """Types as llama.cpp's quantiser chooses: float32 for norms and biases, Q6_K for the head beside Q4_0."""
    config = json.loads(config_file.read_text())
    layers = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "q4_0": gguf.GGMLQuantizationType.Q4_0}[kind]
    head = gguf.GGMLQuantizationType.Q6_K if kind == "q4_0" else layers
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.random_checkpoint import parameter_shapes

    writer = gguf.GGUFWriter(file, "qwen2")
    writer.add_file_type(
        {"q8_0": gguf.LlamaFileType.MOSTLY_Q8_0, "q4_0": gguf.LlamaFileType.MOSTLY_Q4_0}[kind]
    )
    write_metadata(writer, config, config_file.parent)
    shapes = {gguf_name(name): shape for name, shape in parameter_shapes(config).items()}
    types = {name: head if name == "output.weight" else layers for name in shapes}
    for name, shape in shapes.items():
        if len(shape) == 1:
            writer.add_tensor_info(
                name, shape, np.dtype(np.float32), shape[0] * 4, gguf.GGMLQuantizationType.F32
            )
            continue
        per_block, block_bytes = gguf.GGML_QUANT_SIZES[types[name]]
        row = shape[1] // per_block * block_bytes
        writer.add_tensor_info(name, (shape[0], row), np.dtype(np.uint8), shape[0] * row, types[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    numbers = np.random.default_rng(0)
    for name, shape in shapes.items():  # one at a time, so that no more than one stands in memory
        if len(shape) == 1:
            around = 1.0 if name.endswith("norm.weight") else 0.0
            writer.write_tensor_data((around + 0.3 * numbers.standard_normal(shape)).astype(np.float32))
        else:
            writer.write_tensor_data(random_blocks(types[name], *shape, numbers))
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("convert", "quantise", "random"))
    parser.add_argument("source", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("kind", nargs="?", choices=("q8_0", "q4_0"))
    options = parser.parse_args()
    unfinished = options.file.with_suffix(".part")
    if options.action == "convert":
        convert(options.source, unfinished)
    elif options.action == "quantise":
        quantise(options.source, unfinished, options.kind)
    else:
        write_random(options.source, unfinished, options.kind)
    unfinished.rename(options.file)


if __name__ == "__main__":
    main()
