"""Positions past 32,768 against transformers' YaRN, in float32 on a small random model.

One checkpoint as Qwen2.5 publishes it, without rope_scaling: here it is stretched by asking for the context,
there by the lines that Qwen2.5's model cards have added to config.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.model.forward import logits_of
from tests.parity.test_logits import LIMITS, error, prompt
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending import _kernels as ops
from wending.model.config import ModelConfig
from wending.model.kv_cache import KVCache
from wending.model.model import Model
from wending.model.rope import attention_factor

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
modeling = pytest.importorskip("transformers.models.qwen2.modeling_qwen2")

NATIVE, LENGTH, COMPARED = 32768, 34_000, 500
PUBLISHED = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": NATIVE}


def test_angles_of_late_positions(tmp_path: Path) -> None:
    """Up to the last of 131,072 positions, in heads of 64 channels, from the reference's own frequencies: at
    such a distance their last bit would show in the second decimal. test_rope.py compares those."""
    scaled = small_config(
        hidden_size=256, rope_theta=1e6, max_position_embeddings=NATIVE, rope_scaling=PUBLISHED
    )
    (tmp_path / "config.json").write_text(json.dumps(scaled))
    config = ModelConfig.from_folder(tmp_path)
    positions = np.linspace(0, 4 * NATIVE - 1, 1000).astype(np.int32)
    nothing = np.zeros(1000, np.int32)
    tables = np.zeros((1, 4 * NATIVE // 16), np.int32)
    cosine, sine = ops.Buffer(32), ops.Buffer(32)
    batch = ops.Batch(KVCache(config, 1, 16).storage, nothing, positions, nothing, nothing, tables, nothing)
    reference = modeling.Qwen2RotaryEmbedding(transformers.Qwen2Config.from_pretrained(tmp_path))
    frequencies = ops.Vector(reference.inv_freq.numpy())
    ops.rotary(batch, frequencies, attention_factor(config), cosine, sine)
    expected = reference(torch.zeros(1), torch.from_numpy(positions)[None].long())
    for found, values in zip((cosine, sine), expected, strict=True):
        assert np.abs(found.numpy() - values[0, :, :32].numpy()).max() < 1e-6


def test_positions_past_the_native_length(tmp_path: Path) -> None:
    config = small_config(rope_theta=1e6, max_position_embeddings=NATIVE)
    write_random_checkpoint(tmp_path, config, seed=6, dtype="float32")
    ours = logits_of(Model.load(tmp_path, max_context=4 * NATIVE), prompt(LENGTH), chunk=1024)[-COMPARED:]

    (tmp_path / "config.json").write_text(json.dumps(config | {"rope_scaling": PUBLISHED}))
    reference = transformers.Qwen2ForCausalLM.from_pretrained(
        tmp_path, dtype=torch.float32, attn_implementation="sdpa"
    )
    with torch.no_grad():
        expected = reference(torch.tensor([prompt(LENGTH)]), logits_to_keep=COMPARED).logits[0].numpy()
    assert expected.shape == ours.shape
    assert error(ours, expected) < LIMITS["float32"]
    assert max(map(error, ours, expected)) < LIMITS["float32"]
