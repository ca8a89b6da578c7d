"""The rule by which a context chooses the rotary positions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.model.forward import logits_of
from tests.published_checkpoints import write_gguf
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.model.config import ModelConfig, RopeScaling
from wending.model.errors import ContextNotAvailable
from wending.model.model import Model
from wending.model.positions import config_for_context, describe_positions, native_length

OWN_SCALING = {"type": "yarn", "factor": 2.0, "original_max_position_embeddings": 1024, "beta_fast": 20.0}


def config(**changes: Any) -> ModelConfig:
    return ModelConfig.from_values(Path("config.json"), small_config(**changes))


PLAIN = config(max_position_embeddings=32768)
STRETCHED = config(rope_scaling=OWN_SCALING, max_position_embeddings=2048)


def test_unasked_the_checkpoint_decides() -> None:
    for own in (PLAIN, STRETCHED):
        assert config_for_context(own, None) == own


@pytest.mark.parametrize("max_context", [2, 100, 32768])
def test_up_to_the_native_length_positions_are_plain(max_context: int) -> None:
    assert config_for_context(PLAIN, max_context) == PLAIN


@pytest.mark.parametrize("max_context", [32769, 131072])
def test_above_it_they_are_stretched_as_qwen_publishes_it(max_context: int) -> None:
    chosen = config_for_context(PLAIN, max_context)
    assert chosen.rope_scaling == RopeScaling(4.0, 32768, 0.1 * math.log(4) + 1)
    assert chosen == config(
        max_position_embeddings=32768,
        rope_scaling={"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768},
    )
    assert chosen.max_context == 131072


def test_a_checkpoints_own_yarn_is_used_above_its_original_length_and_left_out_below() -> None:
    assert native_length(STRETCHED) == 1024
    assert config_for_context(STRETCHED, 1025) == STRETCHED
    assert config_for_context(STRETCHED, 1024) == config(max_position_embeddings=1024)


@pytest.mark.parametrize(
    ("own", "longest", "native"), [(PLAIN, 131072, 32768), (STRETCHED, 2048, 1024)], ids=["plain", "yarn"]
)
def test_what_yarn_does_not_give_is_refused_with_the_numbers(
    own: ModelConfig, longest: int, native: int
) -> None:
    for asked in (0, 1, longest + 1):
        said = f"max_context must be 2 to {longest}, the {native} positions .* got {asked}$"
        with pytest.raises(ContextNotAvailable, match=said):
            config_for_context(own, asked)


def test_each_kind_of_positions_has_its_text() -> None:
    assert describe_positions(32768, None) == "native RoPE, to 32,768"
    assert describe_positions(131072, 4.0) == "YaRN x4, to 131,072"
    assert describe_positions(80000, 2.5) == "YaRN x2.5, to 80,000"
    assert describe_positions(32768, None, "zh") == "原生 RoPE，至 32,768"
    assert describe_positions(131072, 4.0, "zh") == "YaRN x4，至 131,072"


def test_a_context_within_the_native_length_changes_no_logits(tmp_path: Path) -> None:
    ids = list(range(200))
    folder = write_random_checkpoint(tmp_path / "plain", small_config())
    plain = logits_of(Model.load(folder), ids)
    assert np.array_equal(logits_of(Model.load(folder, max_context=4096), ids), plain)
    assert not np.array_equal(logits_of(Model.load(folder, max_context=4097), ids), plain)
    scaling = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096}
    configured = write_random_checkpoint(tmp_path / "yarn", small_config(rope_scaling=scaling))
    assert np.array_equal(logits_of(Model.load(configured, max_context=300), ids), plain)
    assert not np.array_equal(logits_of(Model.load(configured), ids), plain)


def test_a_gguf_file_goes_by_the_same_rule(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    write_gguf(tmp_path / "model.gguf", lambda _: "BF16")
    assert Model.load(tmp_path / "model.gguf", max_context=4096).config.rope_scaling is None
    stretched = Model.load(tmp_path / "model.gguf", max_context=10_000).config
    assert stretched.rope_scaling == RopeScaling(4.0, 4096, 0.1 * math.log(4) + 1)
    with pytest.raises(ContextNotAvailable, match="2 to 16384"):
        Model.load(tmp_path / "model.gguf", max_context=16385)
