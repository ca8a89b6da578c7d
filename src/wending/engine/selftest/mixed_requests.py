"""Requests of all kinds, drawn from a seed: the same ones on every machine for the same vocabulary."""

from __future__ import annotations

import random
from typing import NamedTuple

from wending.engine.constraint import Constraint
from wending.engine.sampling_params import SamplingParams

LENGTHS = (1, 2, 5, 15, 16, 17, 24, 31, 33, 48, 64, 96, 130, 200, 300, 500)
ANSWERS = (1, 2, 3, 6, 8, 10, 12, 16, 24, 40)
SHARED_LENGTHS = (30, 64, 120, 250)
FORMS = (
    Constraint("json_schema", '{"type": "array", "items": {"enum": ["so it is", "so it is not", 1, [2]]}}'),
    Constraint("json_schema", '{"type": "object", "additionalProperties": {"type": "string"}}'),
    Constraint("regex", "([a-f]{1,9}-)*[0-9]?"),
)
LEAST_FOR_A_FORM = 6


class MixedRequest(NamedTuple):
    """One request of the test."""

    number: int
    prompt_token_ids: list[int]
    params: SamplingParams

    @property
    def num_tokens(self) -> int:
        """Of prompt and answer at most."""
        return len(self.prompt_token_ids) + (self.params.max_tokens or 0)


def mixed_requests(count: int, seed: int, vocab_size: int, max_context: int) -> list[MixedRequest]:
    """`count` requests of ordinary token ids. Request i is the same however many there are.

    A third begin with one of a few common beginnings, a fifth repeat themselves; greedy and sampled, with and
    without filters and penalties, one completion or two, now and then a stop string; an eighth keep
    to a form.
    """
    longest = max(max_context // 2, 2)
    common = random.Random(f"{seed} common")
    # Control tokens stand at the end of the vocabulary.
    ordinary = max(vocab_size * 15 // 16, 1)
    beginnings = [
        [common.randrange(ordinary) for _ in range(min(length, longest // 2))] for length in SHARED_LENGTHS
    ]
    return [_request(number, seed, ordinary, longest, beginnings) for number in range(count)]


def _request(
    number: int, seed: int, ordinary: int, longest: int, beginnings: list[list[int]]
) -> MixedRequest:
    numbers = random.Random(f"{seed} {number}")
    prompt = [numbers.randrange(ordinary) for _ in range(numbers.choice(LENGTHS))]
    kind = numbers.random()
    if kind < 0.33:
        prompt = numbers.choice(beginnings) + prompt[:40]
    elif kind < 0.53:
        prompt = (prompt[:12] * 6)[: max(len(prompt), 24)]
    return MixedRequest(number, prompt[: longest - 1], _params(numbers, number, ordinary, longest))


def _params(numbers: random.Random, number: int, ordinary: int, longest: int) -> SamplingParams:
    sampled = number % 2 == 1
    max_tokens = min(numbers.choice(ANSWERS), longest)
    constrained = max_tokens >= LEAST_FOR_A_FORM and numbers.random() < 0.2
    return SamplingParams(
        temperature=numbers.choice([0.3, 0.7, 1.0, 1.5]) if sampled else 0.0,
        top_p=numbers.choice([1.0, 0.9, 0.5]) if sampled else 1.0,
        top_k=numbers.choice([0, 0, 20, 100]) if sampled else 0,
        min_p=numbers.choice([0.0, 0.0, 0.05]) if sampled else 0.0,
        repetition_penalty=numbers.choice([1.0, 1.0, 1.05, 1.3]),
        presence_penalty=numbers.choice([0.0, 0.0, 0.5]),
        frequency_penalty=numbers.choice([0.0, 0.0, 0.3]),
        logit_bias={numbers.randrange(ordinary): 3.0} if numbers.random() < 0.1 else {},
        seed=numbers.randrange(2**53),
        stop=("e", "a") if numbers.random() < 0.1 else (),
        max_tokens=max_tokens,
        n=2 if numbers.random() < 0.1 else 1,
        logprobs=2,
        ignore_eos=numbers.random() < 0.9,
        constraint=numbers.choice(FORMS) if constrained else None,
    )
