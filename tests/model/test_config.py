from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from tests.random_checkpoint import small_config

from wending.model.config import ModelConfig
from wending.model.errors import CheckpointError


def read(folder: Path, config: dict[str, Any] | str) -> ModelConfig:
    text = config if isinstance(config, str) else json.dumps(config)
    (folder / "config.json").write_text(text)
    return ModelConfig.from_folder(folder)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in small_config().items() if name != key}


def test_reads_the_sizes(tmp_path: Path) -> None:
    config = read(tmp_path, small_config(eos_token_id=[258, 260]))
    assert (config.hidden_size, config.head_dim, config.num_key_value_heads) == (64, 16, 2)
    assert config.rope_theta == 10000.0
    assert config.rope_scaling is None
    assert config.max_context == 4096
    assert config.eos_token_ids == (258, 260)
    assert config.tie_word_embeddings


@pytest.mark.parametrize("size", ["0.5b", "1.5b", "7b"])
def test_reads_the_published_configurations(tmp_path: Path, qwen_tokenizer_folder: Path, size: str) -> None:
    config = read(tmp_path, (qwen_tokenizer_folder / f"config-{size}.json").read_text())
    assert config.head_dim == (64 if size == "0.5b" else 128)
    assert config.tie_word_embeddings == (size != "7b")
    assert config.rope_theta == 1e6
    assert config.eos_token_ids == (151645,)


def test_both_spellings_of_rope_mean_the_same(tmp_path: Path) -> None:
    scaling = {"factor": 4.0, "original_max_position_embeddings": 1024}
    old = read(tmp_path, small_config(rope_theta=5e5, rope_scaling={"type": "yarn", **scaling}))
    new = without("rope_theta") | {"rope_parameters": {"rope_type": "yarn", "rope_theta": 5e5, **scaling}}
    assert read(tmp_path, new) == old
    assert old.rope_scaling is not None
    assert old.rope_scaling.attention_factor == pytest.approx(0.1 * math.log(4) + 1)
    assert old.max_context == 4096


def test_a_default_rope_scaling_is_none(tmp_path: Path) -> None:
    parameters = {"rope_type": "default", "rope_theta": 2e4}
    config = read(tmp_path, without("rope_theta") | {"rope_parameters": parameters})
    assert (config.rope_theta, config.rope_scaling) == (2e4, None)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model_type": "llama"}, "model_type 'llama'.*supported: model_type 'qwen2'"),
        ({"architectures": ["Qwen2ForSequenceClassification"]}, "Qwen2ForSequenceClassification"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu' is not supported; supported: 'silu'"),
        ({"use_sliding_window": True}, "sliding-window attention is switched on"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "sliding-window"),
        ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "type 'linear' is not supported; supported"),
        ({"rope_scaling": {"type": "yarn"}}, "factor must be a positive number, is None"),
        ({"rope_scaling": {"type": "yarn", "factor": 0.5}}, "factor must be at least 1, is 0.5"),
        ({"rope_scaling": {"type": "yarn", "factor": 2.0, "extrapolate": 1}}, r"unknown keys \['extrap"),
        ({"rope_scaling": "yarn"}, "rope_scaling must be an object"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
        ({"num_key_value_heads": 3}, "num_attention_heads 4 is not a multiple of num_key_value_heads 3"),
        ({"hidden_size": 66}, "hidden_size 66 is not a multiple of num_attention_heads 4"),
        ({"hidden_size": 96}, "head_dim 24 is not supported; supported: multiples of 16 up to 256"),
        ({"hidden_size": 0}, "hidden_size must be a positive integer, is 0"),
        ({"vocab_size": "many"}, "vocab_size must be a positive integer, is 'many'"),
        ({"rms_norm_eps": -1}, "rms_norm_eps must be a positive number, is -1"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings must be true or false, is 'yes'"),
        ({"eos_token_id": "end"}, "eos_token_id must be a token id or a list of token ids, is 'end'"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        read(tmp_path, small_config(**changed))
    assert caught.value.path == tmp_path / "config.json"
    assert str(tmp_path / "config.json") in str(caught.value)


@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "vocab_size", "max_position_embeddings"])
def test_a_missing_size_is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(CheckpointError, match=f"{key} must be a positive integer, is None"):
        read(tmp_path, without(key))


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: cannot be read: No such file"):
        ModelConfig.from_folder(tmp_path)
    with pytest.raises(CheckpointError, match=r"config\.json: is not valid JSON"):
        read(tmp_path, '{"hidden_size": 64')
    with pytest.raises(CheckpointError, match="must hold a JSON object, holds list"):
        read(tmp_path, "[]")
