"""The bundled checkpoint: it is there, whole, small enough, and says what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wending.model.config import ModelConfig
from wending.model.tokenizer import Tokenizer

LARGEST_FOLDER = 16_000_000
FILES = {
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
}


def test_the_folder_is_a_standard_checkpoint_of_at_most_16_mb(demo_folder: Path) -> None:
    names = {path.name for path in demo_folder.iterdir()}
    assert names >= FILES | {"README.md"}
    size = sum(
        path.stat().st_size for path in demo_folder.iterdir() if path.suffix != ".py" and path.is_file()
    )
    assert size <= LARGEST_FOLDER


def test_it_is_qwen2_with_a_context_of_2048_or_more_and_padded_ids(demo_folder: Path) -> None:
    config, tokenizer = ModelConfig.from_folder(demo_folder), Tokenizer.load(demo_folder)
    assert config.max_context >= 2048
    assert config.num_attention_heads > config.num_key_value_heads
    assert config.vocab_size > tokenizer.vocab_size


@pytest.mark.parametrize(
    "token", ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>", "<|fim_middle|>"]
)
def test_it_has_qwens_control_tokens(demo_folder: Path, token: str) -> None:
    assert token in Tokenizer.load(demo_folder).added_tokens


def test_it_never_says_it_is_qwen_of_alibaba(demo_folder: Path) -> None:
    template = json.loads((demo_folder / "tokenizer_config.json").read_text("utf-8"))["chat_template"]
    assert "Alibaba" not in template
    assert "demonstration model" in template
    card = (demo_folder / "README.md").read_text("utf-8")
    assert "demonstration model" in card
    assert "演示模型" in card
