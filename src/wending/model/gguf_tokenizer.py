"""The tokenizer, chat template and sampling defaults out of the metadata of a GGUF file.

A GGUF file has the vocabulary, the merges and the type of each token. How text is normalised and split before
is not in it, only its name, "qwen2"; what that stands for is written here as Qwen2.5 publishes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wending.model.chat_template import ChatTemplate
from wending.model.errors import CheckpointError
from wending.model.generation_config import GenerationConfig
from wending.model.tokenizer import Tokenizer

# Types of tokens.
NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
# Converters mark every token of the form <|...|> as control; these six of Qwen2.5 are visible text though.
VISIBLE = {
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
}
# An answer ends at either, as in Qwen2.5's generation_config.json; the metadata names only one of them.
END_TOKENS = ("<|im_end|>", "<|endoftext|>")
PRE_TOKENIZER = "qwen2"
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}


def gguf_tokenizer(path: Path, metadata: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer that the metadata describes. Raises CheckpointError that names the key at fault."""
    model, pre = metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre")
    if (model, pre) != ("gpt2", PRE_TOKENIZER):
        raise CheckpointError(
            path,
            f"tokenizer.ggml.model {model!r} with tokenizer.ggml.pre {pre!r} is not supported; "
            f"supported: 'gpt2' with {PRE_TOKENIZER!r}",
        )
    tokens = _list(path, metadata, "tokenizer.ggml.tokens", str)
    types = _list(path, metadata, "tokenizer.ggml.token_type", int)
    merges = _list(path, metadata, "tokenizer.ggml.merges", str)
    if len(types) != len(tokens):
        raise CheckpointError(path, f"has {len(tokens)} tokens, but {len(types)} types of tokens")
    count = len(tokens)
    while count and types[count - 1] == UNUSED:  # padding up to the rows of the embedding
        count -= 1
    vocabulary: dict[str, int] = {}
    added = []
    for token_id, (token, kind) in enumerate(zip(tokens[:count], types, strict=False)):
        if kind == NORMAL:
            vocabulary[token] = token_id
        elif kind in (CONTROL, USER_DEFINED):
            special = kind == CONTROL and token not in VISIBLE
            added.append({"id": token_id, "content": token, "special": special} | _PLAIN)
        else:
            raise CheckpointError(
                path, f"token {token_id} ({token!r}) is of type {kind}, which is not supported"
            )
    return Tokenizer(path, _definition(vocabulary, merges, added))


def gguf_chat_template(path: Path, metadata: Mapping[str, Any]) -> ChatTemplate:
    """The chat template. Raises CheckpointError when there is none."""
    source = metadata.get("tokenizer.chat_template")
    if not isinstance(source, str):
        raise CheckpointError(path, "has no tokenizer.chat_template")
    return ChatTemplate(path, source)


def gguf_generation_config(
    path: Path, metadata: Mapping[str, Any], added_tokens: Mapping[str, int]
) -> GenerationConfig:
    """The tokens that end an answer, and the sampling defaults where the file has any."""
    prefix = "general.sampling."
    names = {"temp": "temperature", "penalty_repeat": "repetition_penalty"}
    names |= {key: key for key in ("top_k", "top_p", "min_p")}
    values = {name: metadata.get(prefix + key) for key, name in names.items()}
    values["eos_token_id"] = [added_tokens[token] for token in END_TOKENS if token in added_tokens]
    return GenerationConfig.from_values(path, values)


_PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def _definition(
    vocabulary: Mapping[str, int], merges: list[str], added: list[dict[str, Any]]
) -> dict[str, Any]:
    """A tokenizer.json of the kind of Qwen2.5."""
    split = {"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, BYTE_LEVEL]},
        "post_processor": BYTE_LEVEL,
        "decoder": BYTE_LEVEL,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": vocabulary,
            "merges": merges,
        },
    }


def _list(path: Path, metadata: Mapping[str, Any], key: str, kind: type) -> list[Any]:
    values = metadata.get(key)
    if not isinstance(values, list) or not all(type(value) is kind for value in values):
        raise CheckpointError(path, f"{key} must be a list of {kind.__name__}")
    return values
