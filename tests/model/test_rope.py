"""The rotary frequencies equal those of transformers to the last bit but one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.random_checkpoint import small_config

from wending.model.config import ModelConfig
from wending.model.rope import attention_factor, inverse_frequencies

CONFIGURATIONS: list[dict[str, Any]] = [
    {},
    {"rope_theta": 1e6, "hidden_size": 256},
    {"rope_theta": 1e6, "hidden_size": 512, "max_position_embeddings": 32768}
    | {"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}},
    {"rope_scaling": {"type": "yarn", "factor": 1.0, "original_max_position_embeddings": 4096}},
    {"hidden_size": 256, "rope_scaling": {"rope_type": "yarn", "factor": 2.5, "truncate": False}},
    {"rope_scaling": {"rope_type": "yarn", "factor": 8.0, "beta_fast": 3.0, "beta_slow": 2.9}},
    {"rope_scaling": {"rope_type": "yarn", "factor": 8.0, "mscale": 0.5, "mscale_all_dim": 1.0}},
    {"rope_scaling": {"rope_type": "yarn", "factor": 8.0, "attention_factor": 1.1}},
]


@pytest.mark.parametrize("changes", CONFIGURATIONS)
def test_equals_transformers(tmp_path: Path, changes: dict[str, Any]) -> None:
    transformers = pytest.importorskip("transformers")
    modeling = pytest.importorskip("transformers.models.qwen2.modeling_qwen2")
    (tmp_path / "config.json").write_text(json.dumps(small_config(**changes)))
    config = ModelConfig.from_folder(tmp_path)
    reference = modeling.Qwen2RotaryEmbedding(transformers.Qwen2Config.from_pretrained(tmp_path))
    found, expected = inverse_frequencies(config), reference.inv_freq.numpy()
    assert found.dtype == np.float32
    assert np.abs(found / expected - 1).max() < 1.3e-7
    assert attention_factor(config) == pytest.approx(reference.attention_scaling, rel=1e-12)
