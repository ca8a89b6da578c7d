"""Final hidden states equal those of transformers' Qwen2Model, the reference implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.invariance.engines import engine_like
from tests.model.forward import batch_of, new_cache
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine.load import load_engine
from wending.engine.sampling_params import SamplingParams
from wending.model.model import Model

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def reference_states(folder: Path, ids: list[int]) -> NDArray[np.float32]:
    reference = transformers.Qwen2Model.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    with torch.no_grad():
        states: NDArray[np.float32] = reference(torch.tensor([ids])).last_hidden_state[0].numpy()
    return states


def test_of_every_position(tmp_path: Path) -> None:
    config = small_config(hidden_size=112, num_attention_heads=7, num_key_value_heads=1)
    folder = write_random_checkpoint(tmp_path / "model", config, seed=5, dtype="float32")
    ids = np.random.default_rng(6).integers(0, 270, 90).tolist()
    expected = reference_states(folder, ids)
    model = Model.load(folder)
    cache, table = new_cache(model, len(ids))
    model.forward(batch_of([(ids, 0, table)]), cache)
    found = model.last_hidden_states()
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < 1e-4
    assert (model.hidden_states() == found).all()
    kept = found.copy()
    model.forward(batch_of([([1], 0, table)]), cache)
    assert (found == kept).all()
    assert len(model.last_hidden_states()) == 1


def test_their_mean_over_a_prompt_in_chunks(tmp_path: Path) -> None:
    folder = write_random_checkpoint(tmp_path / "model", small_config(), seed=7, dtype="float32")
    ids = np.random.default_rng(8).integers(0, 270, 90).tolist()
    expected = reference_states(folder, ids).mean(0, np.float64)
    engine = engine_like(load_engine(folder), max_tokens_per_step=32)
    params = SamplingParams(temperature=0, max_tokens=1, ignore_eos=True, hidden_state="mean")
    for name in ("cold", "warm"):
        engine.add_request(name, ids, params)
        deltas = []
        while engine.has_work:
            deltas += engine.step()
        [(_, delta)] = deltas
        assert delta.hidden_state is not None
        found = np.frombuffer(delta.hidden_state, np.float32)
        assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < 1e-4
