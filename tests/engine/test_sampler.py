"""The sampler against a plain reference, against transformers, and against its own promises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.engine.reference_sampler import Row, adjusted, log_softmax, possible_tokens

from wending.engine.random_numbers import uniform
from wending.engine.sampler import NonFiniteLogits, NothingAllowed, Sample, Sampler, sample_rows
from wending.engine.sampling_params import SamplingParams

VOCAB_SIZE = 50


def row(*values: float) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def random_row(seed: int, size: int = VOCAB_SIZE) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal(size) * 3).astype(np.float32)


def outcome(
    logits: NDArray[np.float32], sampler: Sampler, position: int = 0, allowed: NDArray[np.bool_] | None = None
) -> Any:
    words = None if allowed is None else as_words(allowed)[None]
    return sample_rows(logits[None], [sampler], [position], len(logits), words)[0]


def sample(logits: NDArray[np.float32], params: SamplingParams, position: int = 0, seed: int = 0) -> Sample:
    result = outcome(logits, Sampler(params, seed, 0), position)
    assert isinstance(result, Sample)
    return result


def sampler_of(params: SamplingParams, prompt: Sequence[int], completion: Sequence[int]) -> Sampler:
    sampler = Sampler(params, 5, 0, prompt)
    for token_id in completion:
        sampler.observe(token_id)
    return sampler


def as_words(allowed: NDArray[np.bool_]) -> NDArray[np.uint32]:
    padded = np.zeros(-(-len(allowed) // 32) * 32, dtype=np.bool_)
    padded[: len(allowed)] = allowed
    return np.packbits(padded, bitorder="little").view(np.uint32)


def logits_of(kind: str, size: int, numbers: np.random.Generator) -> NDArray[np.float32]:
    normal = numbers.standard_normal(size)
    values = {
        "normal": 3 * normal,
        "flat": 1e-3 * normal,
        "huge": 1e37 * normal,
        "equal": np.ones(size),
        "few values": numbers.integers(0, 3, size),
        "one alone": np.where(np.arange(size) == size // 2, 50, normal),
        "heavy tail": np.where(numbers.random(size) < 0.001, 9, normal),
    }
    return values[kind].astype(np.float32)


KINDS = ["normal", "flat", "huge", "equal", "few values", "one alone", "heavy tail"]


@settings(max_examples=400, deadline=None)
@given(
    data_seed=st.integers(0, 10**6),
    kind=st.sampled_from(KINDS),
    size=st.sampled_from([1, 2, 7, 50, 511, 512, 513, 3000, 20000]),
    temperature=st.one_of(st.just(0.0), st.floats(0.05, 5.0)),
    top_k=st.sampled_from([0, 1, 5, 40, 300, 5000]),
    min_p=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    top_p=st.sampled_from([1.0, 0.95, 0.5, 0.01]),
    repetition_penalty=st.sampled_from([1.0, 1.05, 0.5]),
    presence_penalty=st.sampled_from([0.0, 0.7]),
    frequency_penalty=st.sampled_from([0.0, -0.6]),
    bias=st.sampled_from([0.0, -100.0, 7.0]),
    share_allowed=st.sampled_from([1.0, 0.9, 0.02]),
    logprobs=st.sampled_from([None, 0, 3, 20]),
    position=st.integers(0, 1000),
)
def test_draws_what_the_reference_draws(
    data_seed: int, kind: str, size: int, share_allowed: float, bias: float, position: int, **values: Any
) -> None:
    numbers = np.random.default_rng(data_seed)
    logits = logits_of(kind, size, numbers)
    prompt, completion = numbers.integers(0, size, 9).tolist(), numbers.integers(0, size, 9).tolist()
    allowed = None
    if share_allowed < 1:
        run = int(
            numbers.choice([1, 300, 700])
        )  # a block of the kernel may be allowed in part, whole, or not
        allowed = np.repeat(numbers.random(-(-size // run)) < share_allowed, run)[:size]
        allowed[numbers.integers(size)] = True
    logit_bias = {int(token_id): bias for token_id in numbers.integers(0, size, 3)} if bias else {}
    params = SamplingParams(logit_bias=logit_bias, **values)
    result = outcome(logits, sampler_of(params, prompt, completion), position, allowed)
    number = uniform(5, 0, position)
    assert result.token_id in possible_tokens(Row(logits, params, prompt, completion, allowed), number)
    if params.logprobs is not None:
        exact = log_softmax(logits)
        best = np.argsort(-logits, kind="stable")[: params.logprobs]
        assert result.logprob == pytest.approx(exact[result.token_id], rel=1e-6, abs=1e-5)
        assert [token_id for token_id, _ in result.top] == best.tolist()
        assert [logprob for _, logprob in result.top] == pytest.approx(exact[best], rel=1e-6, abs=1e-5)


def test_frequencies_are_the_probabilities() -> None:
    logits = random_row(1, 2000)
    params = SamplingParams(temperature=0.8, top_k=20)
    best = np.sort(np.argsort(-logits)[:20])
    weights = np.exp(logits[best].astype(np.float64) / 0.8)
    count = 20_000
    drawn = [sample(logits, params, position, seed=11).token_id for position in range(count)]
    assert set(drawn) <= set(best.tolist())
    for token_id, probability in zip(best.tolist(), weights / weights.sum(), strict=True):
        spread = math.sqrt(count * probability * (1 - probability))
        assert abs(drawn.count(token_id) - count * probability) < 5 * spread + 1


def test_greedy_takes_the_largest_and_the_lowest_id_on_a_tie() -> None:
    assert sample(row(1, 3, 3, 2), SamplingParams(temperature=0)).token_id == 1


def test_top_k_keeps_the_lowest_ids_on_a_tie() -> None:
    params = SamplingParams(top_k=2)
    drawn = {sample(row(1, 5, 1, 1), params, position).token_id for position in range(200)}
    assert drawn == {0, 1}


@pytest.mark.parametrize("size", [4, 1000, 10_000])
def test_top_p_keeps_the_lowest_ids_on_a_tie(size: int) -> None:
    params = SamplingParams(top_p=0.5)
    drawn = {sample(np.ones(size, np.float32), params, position).token_id for position in range(200)}
    assert max(drawn) < size / 2
    assert max(drawn) > 0.4 * size - 2


def test_min_p_is_relative_to_the_largest() -> None:
    logits = np.log(row(0.5, 0.26, 0.24, 1e-9))
    params = SamplingParams(min_p=0.5)
    drawn = {sample(logits, params, position).token_id for position in range(200)}
    assert drawn == {0, 1}


@pytest.mark.parametrize("temperature", [1e-300, 1e-45, 1e-10, 1e-3])
def test_a_temperature_near_zero_is_greedy_without_overflow(temperature: float) -> None:
    logits = random_row(3)
    assert sample(logits, SamplingParams(temperature=temperature)).token_id == int(logits.argmax())


@pytest.mark.parametrize("temperature", [1e30, 1e300])
def test_a_huge_temperature_is_uniform(temperature: float) -> None:
    params = SamplingParams(temperature=temperature)
    drawn = [sample(random_row(3, 4), params, position).token_id for position in range(2000)]
    assert all(400 < drawn.count(token_id) < 600 for token_id in range(4))
    forbidden = np.array([True, True, False, True])
    assert outcome(random_row(3, 4), Sampler(params, 0, 0), allowed=forbidden).token_id != 2


def test_padding_ids_are_never_sampled() -> None:
    logits = row(0, 1, 2, 1000, np.nan)  # the model's vocabulary has two more rows than the tokenizer
    for params in (SamplingParams(temperature=0), SamplingParams(), SamplingParams(logprobs=3)):
        (result,) = sample_rows(logits[None], [Sampler(params, 0, 0)], [0], 3)
        assert isinstance(result, Sample)
        assert result.token_id < 3
        assert all(token_id < 3 for token_id, _ in result.top)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("logprobs", [None, 2])
def test_non_finite_logits_are_an_error_with_a_count(value: float, logprobs: int | None) -> None:
    logits = random_row(2)
    logits[[4, 9]] = value
    result = outcome(logits, Sampler(SamplingParams(repetition_penalty=1.1, logprobs=logprobs), 0, 0, [4]))
    assert isinstance(result, NonFiniteLogits)
    assert str(result) == "the model produced 2 non-finite logits of 50"


def test_a_row_whose_tokens_are_all_forbidden_is_an_error() -> None:
    result = outcome(random_row(2), Sampler(SamplingParams(), 0, 0), allowed=np.zeros(VOCAB_SIZE, np.bool_))
    assert isinstance(result, NothingAllowed)
    assert str(result) == "all 50 tokens are forbidden"


def test_leaves_the_row_as_it_was() -> None:
    logits = random_row(4)
    before = logits.copy()
    params = SamplingParams(
        logit_bias={1: 5.0}, repetition_penalty=1.3, presence_penalty=1, top_k=5, top_p=0.9, logprobs=2
    )
    outcome(logits, sampler_of(params, [1, 2, 3], [4]), allowed=np.arange(VOCAB_SIZE) % 2 == 0)
    assert (logits == before).all()


def test_logit_bias_bans_and_forces() -> None:
    logits = row(3, 2, 1)
    assert sample(logits, SamplingParams(temperature=0, logit_bias={0: -100.0})).token_id == 1
    assert sample(logits, SamplingParams(temperature=0, logit_bias={2: 100.0})).token_id == 2


def test_repetition_penalty_of_the_reference_equals_that_of_transformers() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    prompt, completion = [3, 3, 8, 20], [8, 31, 31]
    logits = random_row(6)
    processor = transformers.RepetitionPenaltyLogitsProcessor(1.3)
    expected = processor(torch.tensor([prompt + completion]), torch.from_numpy(logits[None].copy()))[0]
    params = SamplingParams(repetition_penalty=1.3)
    np.testing.assert_array_equal(adjusted(Row(logits, params, prompt, completion)), expected.numpy())


def test_presence_and_frequency_penalties_count_the_completion_only() -> None:
    params = SamplingParams(temperature=0, presence_penalty=0.5, frequency_penalty=0.25)
    sampler = sampler_of(params, [1], [2, 3, 3])
    assert outcome(row(0.9, 1, 1.7, 1.9), sampler).token_id == 1  # 0.9, 1, 0.95, 0.9
    assert outcome(row(0.9, 1, 1.8, 1.9), sampler).token_id == 2
    assert outcome(row(0.9, 1, 1.7, 2.1), sampler).token_id == 3


def test_penalties_keep_count_of_many_different_tokens() -> None:
    sampler = sampler_of(SamplingParams(temperature=0, frequency_penalty=1.0), [], [*range(999, -1, -1), 7])
    logits = np.zeros(1000, dtype=np.float32)
    logits[7] = 0.5
    assert outcome(logits, sampler).token_id == 0  # all others at -1, 7 at -1.5
    logits[7] = 1.5
    assert outcome(logits, sampler).token_id == 7


def test_logprobs_zero_reports_the_chosen_only_and_none_reports_nothing() -> None:
    logits = random_row(8)
    assert sample(logits, SamplingParams(logprobs=0)).top == []
    assert sample(logits, SamplingParams(logprobs=0)).logprob is not None
    assert sample(logits, SamplingParams()).logprob is None


def test_top_logprobs_rank_ties_by_id_and_cope_with_a_small_vocabulary() -> None:
    top = sample(row(1, 2, 2), SamplingParams(logprobs=20)).top
    assert [token_id for token_id, _ in top] == [1, 2, 0]
    top = sample(row(1, 2, 2, 2), SamplingParams(logprobs=2)).top
    assert [token_id for token_id, _ in top] == [1, 2]


def test_the_token_depends_on_seed_completion_and_position_alone() -> None:
    logits = random_row(9, 5000)
    params = SamplingParams()

    def drawn(seed: int, index: int) -> list[int]:
        return [outcome(logits, Sampler(params, seed, index), p).token_id for p in range(30)]

    assert drawn(1, 0) == drawn(1, 0)
    assert drawn(1, 0) != drawn(2, 0)
    assert drawn(1, 0) != drawn(1, 1)
    in_one_go = Sampler(params, 1, 0)
    assert [outcome(logits, in_one_go, p).token_id for p in reversed(range(30))][::-1] == drawn(1, 0)


def test_rows_in_a_batch_are_sampled_as_if_alone() -> None:
    rows = np.stack([random_row(seed, 5000) for seed in range(24)])
    kinds = (
        SamplingParams(temperature=0.9, top_p=0.95, logprobs=3),
        SamplingParams(temperature=0, repetition_penalty=1.2),
        SamplingParams(top_k=20),
        SamplingParams(min_p=0.01, logit_bias={3: 4.0}),
    )
    samplers = [Sampler(replace(kinds[i % 4], seed=i), i, 0, [i]) for i in range(24)]
    together = sample_rows(rows, samplers, list(range(24)), 4990)
    for i, sampler in enumerate(samplers):
        assert sample_rows(np.array(rows[i : i + 1]), [sampler], [i], 4990) == [together[i]]
