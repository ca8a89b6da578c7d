"""Logits equal those of transformers' Qwen2ForCausalLM, the reference implementation, on random models.

The reference always computes in float32; for a BF16 checkpoint its weights are the BF16 values, widened. So
the bound for float32 holds the arithmetic to account, that for BF16 what a BF16 key-value cache adds to it.
The error is the norm of the difference over the norm of the reference, over all positions.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.model.forward import logits_of
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.model.model import Model

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

HEADS = {
    "1:1": {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 4},
    "7:1": {"hidden_size": 112, "num_attention_heads": 7, "num_key_value_heads": 1},
    "6:1": {"hidden_size": 192, "num_attention_heads": 6, "num_key_value_heads": 1},
    "14:2": {"hidden_size": 448, "num_attention_heads": 14, "num_key_value_heads": 2},
}
YARN = {
    # As Qwen2.5 publishes it, at a small scale; the second names every parameter and takes its own factor.
    "none": {},
    "published": {"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512}},
    "explicit": {
        "rope_theta": 1e6,
        "rope_scaling": {
            "rope_type": "yarn",
            "factor": 8.0,
            "original_max_position_embeddings": 256,
            "attention_factor": 1.3,
            "beta_fast": 20.0,
            "beta_slow": 2.0,
        },
    },
    "mscale": {
        "rope_parameters": {
            "rope_type": "yarn",
            "rope_theta": 5e5,
            "factor": 2.5,
            "original_max_position_embeddings": 800,
            "mscale": 0.7,
            "mscale_all_dim": 1.4,
            "truncate": False,
        },
        "rope_theta": None,
    },
}
LIMITS = {"float32": 1e-4, "bfloat16": 1e-2}


def config_of(heads: str, tied: bool, yarn: str) -> dict[str, Any]:
    config = small_config(
        **HEADS[heads], **({"max_position_embeddings": 2048} | YARN[yarn]), tie_word_embeddings=tied
    )
    return {key: value for key, value in config.items() if value is not None}


def reference_logits(folder: Path, ids: list[int]) -> NDArray[np.float32]:
    """Logits [len(ids), vocab_size] by transformers, in float32 whatever the checkpoint's type."""
    reference = transformers.Qwen2ForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    with torch.no_grad():
        return reference(torch.tensor([ids])).logits[0].numpy()


def error(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@cache
def prompt(length: int) -> list[int]:
    return [int(token) for token in np.random.default_rng(length).integers(0, 280, length)]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("yarn", ["none", "published"])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("heads", HEADS)
def test_every_combination(tmp_path: Path, heads: str, tied: bool, yarn: str, dtype: str) -> None:
    write_random_checkpoint(tmp_path, config_of(heads, tied, yarn), seed=1, dtype=dtype)
    model = Model.load(tmp_path)
    assert model.precision.layers.precision == dtype
    expected = reference_logits(tmp_path, prompt(200))
    assert error(logits_of(model, prompt(200), dtype=dtype), expected) < LIMITS[dtype]


@pytest.mark.parametrize("yarn", YARN)
def test_two_thousand_tokens(tmp_path: Path, yarn: str) -> None:
    """Whole and in chunks, with a cache of either type: late positions are where angles would go astray."""
    write_random_checkpoint(tmp_path, config_of("14:2", False, yarn), seed=2, dtype="float32")
    model = Model.load(tmp_path)
    expected = reference_logits(tmp_path, prompt(2000))
    whole = logits_of(model, prompt(2000))
    assert error(whole, expected) < LIMITS["float32"]
    assert error(whole[-100:], expected[-100:]) < LIMITS["float32"]
    assert np.array_equal(logits_of(model, prompt(2000), chunk=300), whole)
    assert error(logits_of(model, prompt(2000), dtype="bfloat16"), expected) < LIMITS["bfloat16"]


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 63, 64, 65, 333])
def test_prompt_lengths(tmp_path: Path, length: int) -> None:
    write_random_checkpoint(tmp_path, config_of("7:1", True, "none"), seed=3, dtype="float32")
    model = Model.load(tmp_path)
    expected = reference_logits(tmp_path, prompt(length))
    assert error(logits_of(model, prompt(length)), expected) < LIMITS["float32"]
    assert error(logits_of(model, prompt(length), chunk=7), expected) < LIMITS["float32"]


@pytest.mark.parametrize(("dtype", "loaded"), [("float16", "float32"), ("float16", "bfloat16")])
def test_half_precision_checkpoints(tmp_path: Path, dtype: str, loaded: str) -> None:
    """F16 is held as float32, which is exact, or as BF16 when asked, which rounds the weights as well."""
    write_random_checkpoint(tmp_path, config_of("6:1", True, "none"), seed=4, dtype=dtype)
    model = Model.load(tmp_path, "auto" if loaded == "float32" else "bf16")
    assert model.precision.layers.precision == loaded
    limit = {"float32": 1e-4, "bfloat16": 3e-2}[loaded]
    assert error(logits_of(model, prompt(100)), reference_logits(tmp_path, prompt(100))) < limit


def test_closer_to_float32_than_transformers_in_bfloat16(tmp_path: Path) -> None:
    """Activations stay in float32 here; a BF16 run of the reference rounds them after every operation."""
    write_random_checkpoint(tmp_path, config_of("14:2", True, "none"), seed=5, dtype="bfloat16")
    expected = reference_logits(tmp_path, prompt(200))
    rounded = transformers.Qwen2ForCausalLM.from_pretrained(tmp_path, dtype=torch.bfloat16)
    with torch.no_grad():
        rounded_logits = rounded(torch.tensor([prompt(200)])).logits[0].float().numpy()
    ours = logits_of(Model.load(tmp_path), prompt(200), dtype="bfloat16")
    assert error(ours, expected) < error(rounded_logits, expected)
