"""Same request, same tokens: whatever else the engine does at the same time.

The fake model shows every mistake in scheduling; what the real kernels do is the subject of the other file.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from tests.engine.fakes import fake_engine
from tests.invariance.answers import answers

from wending.engine.sampling_params import SamplingParams

GREEDY = SamplingParams(temperature=0, max_tokens=20, seed=0, logprobs=2)
SAMPLED = SamplingParams(temperature=1.2, top_p=0.95, max_tokens=20, logprobs=2, frequency_penalty=0.3)


def requests() -> list[tuple[list[int], SamplingParams]]:
    """Prompts of 1 to 40 tokens, greedy and sampled by turns, some with two completions or a stop string."""
    numbers = random.Random(4)
    made = []
    for count in range(24):
        prompt = [numbers.randrange(256) for _ in range(numbers.choice([1, 2, 5, 17, 40]))]
        params = GREEDY if count % 2 else replace(SAMPLED, seed=count)
        if count % 5 == 0:
            params = replace(params, n=2)
        if count % 7 == 0:
            params = replace(params, stop=("e", "稳"))
        made.append((prompt, params))
    return made


REQUESTS = requests()
ALONE = [answers(fake_engine(), [request])[0] for request in REQUESTS]


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
