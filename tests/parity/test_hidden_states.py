"""Final hidden states equal those of transformers' Qwen2Model, the reference implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.model.forward import batch_of, new_cache
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.model.model import Model

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def test_of_every_position(tmp_path: Path) -> None:
    config = small_config(hidden_size=112, num_attention_heads=7, num_key_value_heads=1)
    folder = write_random_checkpoint(tmp_path / "model", config, seed=5, dtype="float32")
    ids = np.random.default_rng(6).integers(0, 270, 90).tolist()
    reference = transformers.Qwen2Model.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    with torch.no_grad():
        expected = reference(torch.tensor([ids])).last_hidden_state[0].numpy()
    model = Model.load(folder)
    cache, table = new_cache(model, len(ids))
    model.forward(batch_of([(ids, 0, table)]), cache)
    found = model.last_hidden_states()
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < 1e-4
    kept = found.copy()
    model.forward(batch_of([([1], 0, table)]), cache)
    assert (found == kept).all()
    assert len(model.last_hidden_states()) == 1
