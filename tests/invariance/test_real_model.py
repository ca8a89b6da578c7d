"""Same request, same bytes, with the real kernels: tokens and log-probabilities equal bit for bit.

Random weights in every precision, keys and values in 8 bits as well, and the bundled checkpoint.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.invariance.answers import Answer, answers, answers_of_two_engines
from tests.invariance.engines import engine_like, load_random_model

from wending import _kernels
from wending.engine.load import LoadedEngine, load_engine
from wending.engine.sampling_params import SamplingParams

GREEDY = SamplingParams(temperature=0, max_tokens=40, seed=0, logprobs=3, ignore_eos=True)
SAMPLED = SamplingParams(temperature=0.9, top_p=0.95, max_tokens=24, logprobs=3, repetition_penalty=1.1)

Requests = list[tuple[list[int], SamplingParams]]


@pytest.fixture(scope="module", params=["bf16", "f32", "int8", "int4", "int8/int8", "demo", "demo-int8"])
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, demo_folder: Path
) -> LoadedEngine:
    if not request.param.startswith("demo"):
        quant, _, kv_cache = request.param.partition("/")
        return load_random_model(tmp_path_factory.mktemp("random") / "model", quant, kv_cache or "auto")
    if not (demo_folder / "config.json").is_file():
        pytest.skip("there is no bundled checkpoint")
    return load_engine(quant="int8" if request.param == "demo-int8" else "auto")


@pytest.fixture(scope="module")
def requests(loaded: LoadedEngine) -> Requests:
    """Prompts of 1 to 150 tokens, greedy and sampled by turns, most with a hidden state."""
    numbers = random.Random(11)
    made = []
    for count in range(16):
        length = numbers.choice([1, 2, 15, 16, 17, 33, 70, 150])
        prompt = [numbers.randrange(256) for _ in range(length)]
        params = GREEDY if count % 2 else replace(SAMPLED, seed=count, n=1 + count % 3)
        made.append((prompt, replace(params, hidden_state=("mean", "last", None)[count % 3])))
    return made


@pytest.fixture(scope="module")
def alone(loaded: LoadedEngine, requests: Requests) -> list[list[Answer]]:
    """Each request in an engine of its own, in one step for each prompt."""
    return [
        answers(engine_like(loaded, max_tokens_per_step=200, speculate=False), [request])[0]
        for request in requests
    ]


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = _kernels.threads()
    _kernels.set_threads(request.param)
    yield request.param
    _kernels.set_threads(before)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_tokens_per_step": 7, "max_running": 7},
        {"max_tokens_per_step": 16, "max_running": 16},
        {"max_tokens_per_step": 512},
        {"block_size": 32},
    ],
    ids=str,
)
def test_together_in_any_chunks(
    loaded: LoadedEngine, requests: Requests, alone: list[list[Answer]], settings: dict[str, Any]
) -> None:
    assert answers(engine_like(loaded, **settings), requests) == alone


def test_one_token_at_a_time(loaded: LoadedEngine, requests: Requests, alone: list[list[Answer]]) -> None:
    engine = engine_like(loaded, max_tokens_per_step=1, max_running=1)
    assert answers(engine, requests[:6]) == alone[:6]


def test_preempted_and_computed_again(loaded: LoadedEngine) -> None:
    """Short prompts with long answers: many start, and then they grow out of the cache."""
    numbers = random.Random(12)
    growing: Requests = []
    for count in range(8):
        params = replace(GREEDY if count % 2 else SAMPLED, seed=count, max_tokens=80, ignore_eos=True)
        growing.append(([numbers.randrange(256) for _ in range(14)], params))
    engine = engine_like(loaded, num_blocks=16)
    together = answers(engine, growing)
    assert engine.stats().preemptions_total > 2
    plain = [answers(engine_like(loaded, speculate=False), [request])[0] for request in growing]
    assert together == plain


@pytest.mark.parametrize("seed", range(3))
def test_any_arrival_among_others_that_come_and_hang_up(
    loaded: LoadedEngine, requests: Requests, alone: list[list[Answer]], seed: int
) -> None:
    engine = engine_like(loaded, num_blocks=40)
    assert answers(engine, requests, disturbance=random.Random(seed)) == alone


def test_any_number_of_threads(
    loaded: LoadedEngine, requests: Requests, alone: list[list[Answer]], threads: int
) -> None:
    assert _kernels.threads() == threads
    assert answers(engine_like(loaded), requests) == alone


def test_cold_and_warm(loaded: LoadedEngine, requests: Requests, alone: list[list[Answer]]) -> None:
    engine = engine_like(loaded)
    assert answers(engine, requests) == alone
    cached = engine.stats().cached_tokens_total
    assert answers(engine, requests) == alone
    assert engine.stats().cached_tokens_total > cached


def test_speculative_and_plain(loaded: LoadedEngine) -> None:
    """Texts that repeat themselves, as random models' greedy ones do and prompts here do."""
    numbers = random.Random(13)
    repeating: Requests = []
    for count in range(6):
        phrase = [numbers.randrange(256) for _ in range(9)]
        params = replace(GREEDY if count % 3 else SAMPLED, seed=count, max_tokens=90, ignore_eos=True)
        repeating.append((phrase * 4, params))
    plain = answers(engine_like(loaded, speculate=False), repeating)
    together, single = engine_like(loaded), engine_like(loaded)
    assert answers(together, repeating) == plain
    assert [answers(single, [request])[0] for request in repeating] == plain
    assert single.stats().drafts_accepted_total > 0
    assert single.stats().drafts_accepted_total < single.stats().tokens_drafted_total


@pytest.mark.parametrize("steps", [1, 7, 20])
def test_before_and_after_a_crash(
    loaded: LoadedEngine, requests: Requests, alone: list[list[Answer]], steps: int
) -> None:
    engines = engine_like(loaded), engine_like(loaded, num_blocks=40)
    seeded = [(prompt, replace(params, seed=params.seed or 0)) for prompt, params in requests]
    assert answers_of_two_engines(*engines, seeded, steps) == alone
