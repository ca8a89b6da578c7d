"""Positions past 32,768 against transformers' YaRN, in float32 on a small random model.

One checkpoint as Qwen2.5 publishes it, without rope_scaling: here it is stretched by asking for the context,
there by the lines that Qwen2.5's model cards have added to config.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.model.forward import logits_of
from tests.parity.test_logits import LIMITS, error, prompt
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.model.model import Model

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

NATIVE, LENGTH, COMPARED = 32768, 34_000, 500
PUBLISHED = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": NATIVE}


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
