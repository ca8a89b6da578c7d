"""Before a crash = after it, and streamed = whole: real signals at random moments, with the real kernels."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from bench.kills import kill_under_load, requests
from tests.engine.clients import answer_all, running
from tests.invariance.answers import answers
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine.load import load_engine
from wending.model.precision import Quant

KILLS = 6  # bench/kills.py is the long form


@pytest.mark.parametrize("quant", ["bf16", "int8"])
async def test_killed_at_random_moments_under_load(
    quant: Quant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    config = small_config(
        hidden_size=112, intermediate_size=200, num_attention_heads=7, num_key_value_heads=1
    )
    folder = write_random_checkpoint(tmp_path / "model", config, seed=3)
    asked = requests(24, vocab_size=280, longest_prompt=300, most_tokens=200, seed=5)
    expected = answers(load_engine(folder, quant=quant).engine, asked)
    async with running(folder, quant=quant) as client:
        assert await answer_all(client, asked) == expected
        outcome = await kill_under_load(
            client, asked, expected, kills=KILLS, streams=12, apart_s=0.4, seed=len(quant)
        )
        assert outcome.kills == KILLS
        assert outcome.requests > 0
        assert (outcome.lost, outcome.changed) == (0, 0)
