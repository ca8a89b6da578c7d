from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wending.model.errors import CheckpointError
from wending.model.generation_config import GenerationConfig


def read(folder: Path, values: dict[str, Any]) -> GenerationConfig:
    (folder / "generation_config.json").write_text(json.dumps(values))
    return GenerationConfig.from_folder(folder)


def test_reads_the_published_file(qwen_tokenizer_folder: Path) -> None:
    assert GenerationConfig.from_folder(qwen_tokenizer_folder) == GenerationConfig(
        eos_token_ids=(151645, 151643), temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.1
    )


def test_the_file_is_optional(tmp_path: Path) -> None:
    assert GenerationConfig.from_folder(tmp_path) == GenerationConfig()


def test_no_sampling_means_temperature_zero(tmp_path: Path) -> None:
    assert read(tmp_path, {"do_sample": False, "temperature": 0.7}).temperature == 0
    assert read(tmp_path, {"do_sample": True, "temperature": 0.7}).temperature == 0.7


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"top_p": 1.5}, "top_p must be a number from 0 to 1, is 1.5"),
        ({"temperature": "hot"}, "temperature must be a number from 0 to 100, is 'hot'"),
        ({"repetition_penalty": 0}, "repetition_penalty must be a number"),
        ({"eos_token_id": [1, -1]}, "eos_token_id must be a token id"),
    ],
)
def test_a_value_out_of_range_is_named(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        read(tmp_path, values)
