"""Sampling: the same with any number of threads; refusals. What is chosen: tests/engine/test_sampler.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.kernels.arrays import int32, normal

from wending import _kernels

SETTINGS: dict[str, Any] = {
    "inverse_temperature": 1.25,
    "top_k": 0,
    "min_p": 0.0,
    "top_p": 0.9,
    "repetition_penalty": 1.1,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "num_logprobs": 2,
}


def row_sampler(*prompt: int, bias: int = 0, **changes: Any) -> _kernels.RowSampler:
    return _kernels.RowSampler(
        **SETTINGS | changes,
        bias_ids=int32(bias),
        biases=np.ones(1, np.float32),
        prompt_token_ids=int32(*prompt),
    )


def results(logits: Any, samplers: list[_kernels.RowSampler], numbers: list[float]) -> list[Any]:
    sampled = _kernels.sample(logits, logits.shape[1] - 3, samplers, numbers)
    return [(row.token_id, row.logprob, row.top) for row in sampled]


@pytest.mark.usefixtures("threads")
def test_results_do_not_depend_on_the_threads_nor_on_the_other_rows() -> None:
    kinds = ({}, {"top_p": 1.0}, {"top_k": 40}, {"min_p": 0.02}, {"inverse_temperature": 0.0})
    samplers = [row_sampler(i, 7, **kinds[i % 5]) for i in range(15)]
    logits, numbers = normal(0, 15, 30_000), [i / 15 for i in range(15)]
    alone = [results(logits[i : i + 1], [samplers[i]], [numbers[i]])[0] for i in range(15)]
    for threads in (1, 2, 3):
        _kernels.set_threads(threads)
        assert results(logits, samplers, numbers) == alone
    assert len({token_id for token_id, _, _ in alone}) > 10


def test_vocabularies_of_different_sizes_follow_each_other() -> None:
    for size in (100, 20_000, 50, 30_000, 513):
        logits = normal(1, 1, size)
        ((token_id, _, _),) = results(
            logits, [row_sampler(inverse_temperature=0.0, repetition_penalty=1.0)], [0]
        )
        logits[0, 0] += 1
        assert token_id == logits[0, :-3].argmax()


def test_what_does_not_fit_together_is_refused() -> None:
    logits, one = normal(0, 2, 100), row_sampler()
    with pytest.raises(ValueError, match="one sampler for each row"):
        _kernels.sample(logits, 100, [one], [0.0, 0.0])
    with pytest.raises(ValueError, match="one number for each row"):
        _kernels.sample(logits, 100, [one, one], [0.0])
    with pytest.raises(ValueError, match="vocab_size must be 1 to 100, is 101"):
        _kernels.sample(logits, 101, [one, one], [0.0, 0.0])
    with pytest.raises(ValueError, match="token id 90 is outside 0 to 89"):
        _kernels.sample(logits, 90, [one, row_sampler(90)], [0.0, 0.0])
    with pytest.raises(ValueError, match="a bit for each token"):
        _kernels.sample(logits, 100, [one, one], [0.0, 0.0], np.zeros((2, 3), np.uint32))
    with pytest.raises(ValueError, match="token id -1 is below 0"):
        row_sampler(bias=-1)
    with pytest.raises(ValueError, match="token id -2 is below 0"):
        one.observe(-2)
