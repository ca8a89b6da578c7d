"""Same request, same tokens: whatever else the engine does at the same time.

The fake model shows every mistake in scheduling; what the real kernels do is the subject of the other file.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.fakes import FakeCache, FakeModel, fake_engine
from tests.invariance.answers import answers, answers_of_two_engines

from wending.engine.pacer import Pacer
from wending.engine.sampling_params import SamplingParams
from wending.model.batch import ForwardBatch

GREEDY = SamplingParams(temperature=0, max_tokens=20, seed=0, logprobs=2)
SAMPLED = SamplingParams(temperature=1.2, top_p=0.95, max_tokens=20, logprobs=2, frequency_penalty=0.3)


def requests() -> list[tuple[list[int], SamplingParams]]:
    """Prompts of 1 to 40 tokens, greedy and sampled by turns, some with two completions, a stop string or a
    hidden state."""
    numbers = random.Random(4)
    made = []
    for count in range(24):
        prompt = [numbers.randrange(256) for _ in range(numbers.choice([1, 2, 5, 17, 40]))]
        params = GREEDY if count % 2 else replace(SAMPLED, seed=count)
        if count % 5 == 0:
            params = replace(params, n=2)
        if count % 7 == 0:
            params = replace(params, stop=("e", "稳"))
        if count % 4 == 1:
            params = replace(params, stop_token_ids=tuple(range(80)), min_tokens=9)
        if count % 3:
            params = replace(params, hidden_state="mean" if count % 3 == 1 else "last")
        made.append((prompt, params))
    return made


REQUESTS = requests()
ALONE = [answers(fake_engine(speculate=False), [request])[0] for request in REQUESTS]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_tokens_per_step": 1, "max_running": 1},
        {"max_tokens_per_step": 3, "max_running": 3},
        {"max_tokens_per_step": 8, "max_running": 8},
        {"max_tokens_per_step": 512, "max_running": 64, "num_blocks": 512},
        {"block_size": 16},
        {"num_blocks": 17},
        {"speculate": False},
        {"pacer": Pacer(32, gap_s=1e-9, step_s=1e-9)},
        {"num_blocks": 64, "block_size": 1, "max_tokens_per_step": 5, "max_running": 5},
    ],
    ids=str,
)
def test_alone_equals_together_under_any_settings(settings: dict[str, Any]) -> None:
    assert answers(fake_engine(**settings), REQUESTS) == ALONE


def test_a_scarce_cache_preempts_and_changes_nothing() -> None:
    engine = fake_engine(num_blocks=18)
    assert answers(engine, REQUESTS) == ALONE
    assert engine.stats().preemptions_total > 10


@pytest.mark.parametrize("seed", range(10))
def test_order_and_moment_of_arrival_and_hang_ups_of_others_change_nothing(seed: int) -> None:
    """Requests arrive in any order at any step, while others come and are aborted."""
    engine = fake_engine(num_blocks=30)
    assert answers(engine, REQUESTS, disturbance=random.Random(seed)) == ALONE


@pytest.mark.parametrize("num_blocks", [64, 20])
def test_cold_equals_warm(num_blocks: int) -> None:
    """Everything again, with what the cache has kept, whole or in parts."""
    engine = fake_engine(num_blocks=num_blocks)
    assert answers(engine, REQUESTS) == ALONE
    cached = engine.stats().cached_tokens_total
    assert answers(engine, list(reversed(REQUESTS))) == list(reversed(ALONE))
    assert engine.stats().cached_tokens_total > cached


@pytest.mark.parametrize("steps", [0, 1, 5, 12, 30])
def test_before_equals_after_a_crash(steps: int) -> None:
    assert answers_of_two_engines(fake_engine(), fake_engine(num_blocks=20), REQUESTS, steps) == ALONE


class EchoModel(FakeModel):
    """Mostly says what followed the same two tokens before: many guesses come true and many do not."""

    def _logits(self, batch: ForwardBatch, cache: FakeCache, token: int) -> NDArray[np.float32]:
        logits = super()._logits(batch, cache, token)
        place, table = int(batch.positions[token]), batch.block_tables[batch.sequence_rows[token]]
        said = [
            int(cache.tokens[table[at // cache.block_size] * cache.block_size + at % cache.block_size])
            for at in range(place + 1)
        ]
        for at in range(place - 1, 0, -1):
            if said[at - 1 : at + 1] == said[-2:]:
                logits[said[at + 1]] += 14 if sum(said) % 7 else 0
                break
        return logits


@pytest.mark.parametrize("seed", range(4))
def test_speculative_equals_plain(seed: int) -> None:
    numbers = random.Random(seed)
    made = []
    for count in range(12):
        phrase = [numbers.randrange(256) for _ in range(numbers.choice([4, 7, 11]))]
        params = replace(GREEDY if count % 2 else SAMPLED, seed=count, max_tokens=40, ignore_eos=True)
        made.append((phrase * 2, replace(params, n=1 + count % 2)))
    plain = [answers(fake_engine(model=EchoModel(), speculate=False), [one])[0] for one in made]
    engine = fake_engine(model=EchoModel(), num_blocks=40, max_running=4)
    assert answers(engine, made, disturbance=random.Random(seed)) == plain
    stats = engine.stats()
    assert 0 < stats.drafts_accepted_total < stats.tokens_drafted_total
