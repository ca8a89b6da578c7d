"""The sampler against a naive reference that sorts everything, against transformers, and against its own
promises."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wending.engine.random_numbers import uniform
from wending.engine.sampler import NonFiniteLogits, Sample, Sampler
from wending.engine.sampling_params import SamplingParams

VOCAB_SIZE = 50


def row(*values: float) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def random_row(seed: int, size: int = VOCAB_SIZE) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal(size) * 3).astype(np.float32)


def sample(logits: NDArray[np.float32], params: SamplingParams, position: int = 0, seed: int = 0) -> Sample:
    return Sampler(params, seed, 0, [], len(logits)).sample(logits, position)


def kept_probabilities(logits: NDArray[np.float32], params: SamplingParams) -> dict[int, float]:
    """The reference: probabilities of the tokens that temperature, top_k, min_p and top_p leave, by
    sorting."""
    scaled = logits.astype(np.float64) / params.temperature
    ranked = sorted(range(len(logits)), key=lambda token_id: (-logits[token_id], token_id))
    if params.top_k > 0:
        ranked = ranked[: params.top_k]
    weight = {token_id: math.exp(scaled[token_id] - scaled.max()) for token_id in ranked}
    ranked = [token_id for token_id in ranked if weight[token_id] >= params.min_p]
    total = sum(weight[token_id] for token_id in ranked)
    nucleus: list[int] = []
    for token_id in ranked:
        nucleus.append(token_id)
        if sum(weight[kept] for kept in nucleus) >= params.top_p * total and params.top_p < 1:
            break
    total = sum(weight[token_id] for token_id in nucleus)
    return {token_id: weight[token_id] / total for token_id in sorted(nucleus)}


def reference(logits: NDArray[np.float32], params: SamplingParams, number: float) -> set[int]:
    """Tokens the reference may draw with this number: more than one only where rounding could decide."""
    cumulative = 0.0
    candidates = set()
    for token_id, probability in kept_probabilities(logits, params).items():
        if cumulative - 1e-6 <= number <= cumulative + probability + 1e-6:
            candidates.add(token_id)
        cumulative += probability
    return candidates


@settings(max_examples=300, deadline=None)
@given(
    logits_seed=st.integers(0, 10**6),
    size=st.sampled_from([2, 7, 50, 511, 512, 513, 3000]),
    temperature=st.floats(0.05, 5.0),
    top_k=st.sampled_from([0, 1, 5, 40, 5000]),
    min_p=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    top_p=st.sampled_from([1.0, 0.95, 0.5, 0.01]),
    position=st.integers(0, 1000),
)
def test_draws_what_the_reference_draws(
    logits_seed: int, size: int, temperature: float, top_k: int, min_p: float, top_p: float, position: int
) -> None:
    logits = random_row(logits_seed, size)
    params = SamplingParams(temperature=temperature, top_k=top_k, min_p=min_p, top_p=top_p)
    drawn = sample(logits, params, position, seed=5).token_id
    assert drawn in reference(logits, params, uniform(5, 0, position))


def test_frequencies_are_the_probabilities() -> None:
    logits = random_row(1, 2000)
    params = SamplingParams(temperature=0.8, top_k=20)
    expected = kept_probabilities(logits, params)
    count = 20_000
    sampler = Sampler(params, 11, 0, [], len(logits))
    drawn = [sampler.sample(logits, position).token_id for position in range(count)]
    assert set(drawn) <= set(expected)
    for token_id, probability in expected.items():
        spread = math.sqrt(count * probability * (1 - probability))
        assert abs(drawn.count(token_id) - count * probability) < 5 * spread + 1


def test_greedy_takes_the_largest_and_the_lowest_id_on_a_tie() -> None:
    assert sample(row(1, 3, 3, 2), SamplingParams(temperature=0)).token_id == 1


def test_top_k_keeps_the_lowest_ids_on_a_tie() -> None:
    params = SamplingParams(top_k=2)
    drawn = {sample(row(1, 5, 1, 1), params, position).token_id for position in range(200)}
    assert drawn == {0, 1}


def test_top_p_keeps_the_lowest_ids_on_a_tie() -> None:
    params = SamplingParams(top_p=0.5)
    drawn = {sample(row(2, 2, 2, 2), params, position).token_id for position in range(200)}
    assert drawn == {0, 1}


def test_min_p_is_relative_to_the_largest() -> None:
    logits = np.log(row(0.5, 0.26, 0.24, 1e-9))
    params = SamplingParams(min_p=0.5)
    drawn = {sample(logits, params, position).token_id for position in range(200)}
    assert drawn == {0, 1}


@pytest.mark.parametrize("temperature", [1e-300, 1e-45, 1e-10, 1e-3])
def test_a_temperature_near_zero_is_greedy_without_overflow(temperature: float) -> None:
    logits = random_row(3)
    with np.errstate(all="raise", under="ignore"):
        assert sample(logits, SamplingParams(temperature=temperature)).token_id == int(logits.argmax())


def test_a_huge_temperature_is_uniform() -> None:
    params = SamplingParams(temperature=1e30)
    drawn = [sample(random_row(3, 4), params, position).token_id for position in range(2000)]
    assert all(400 < drawn.count(token_id) < 600 for token_id in range(4))


def test_padding_ids_are_never_sampled() -> None:
    logits = row(0, 1, 2, 1000, np.nan)  # the model's vocabulary has two more rows than the tokenizer
    for params in (SamplingParams(temperature=0), SamplingParams(), SamplingParams(logprobs=3)):
        result = Sampler(params, 0, 0, [], 3).sample(logits, 0)
        assert result.token_id < 3
        assert all(token_id < 3 for token_id, _ in result.top)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_logits_are_an_error_with_a_count(value: float) -> None:
    logits = random_row(2)
    logits[[4, 9]] = value
    with pytest.raises(NonFiniteLogits, match="2 non-finite logits of 50"):
        sample(logits, SamplingParams(temperature=0))


def test_leaves_the_row_as_it_was() -> None:
    logits = random_row(4)
    before = logits.copy()
    params = SamplingParams(
        logit_bias={1: 5.0}, repetition_penalty=1.3, presence_penalty=1, top_k=5, top_p=0.9, logprobs=2
    )
    sampler = Sampler(params, 0, 0, [1, 2, 3], VOCAB_SIZE)
    sampler.observe(4)
    sampler.sample(logits, 0)
    assert (logits == before).all()


def test_logit_bias_bans_and_forces() -> None:
    logits = row(3, 2, 1)
    assert sample(logits, SamplingParams(temperature=0, logit_bias={0: -100.0})).token_id == 1
    assert sample(logits, SamplingParams(temperature=0, logit_bias={2: 100.0})).token_id == 2


def test_repetition_penalty_equals_that_of_transformers() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    prompt, completion = [3, 3, 8, 20], [8, 31, 31]
    logits = random_row(6)
    processor = transformers.RepetitionPenaltyLogitsProcessor(1.3)
    expected = processor(torch.tensor([prompt + completion]), torch.from_numpy(logits[None].copy()))[
        0
    ].numpy()
    sampler = Sampler(SamplingParams(repetition_penalty=1.3), 0, 0, prompt, VOCAB_SIZE)
    for token_id in completion:
        sampler.observe(token_id)
    np.testing.assert_array_equal(sampler._adjust(logits), expected)


def test_presence_and_frequency_penalties_count_the_completion_only() -> None:
    sampler = Sampler(
        SamplingParams(presence_penalty=0.5, frequency_penalty=0.25), 0, 0, prompt_token_ids=[1], vocab_size=4
    )
    for token_id in (2, 3, 3):
        sampler.observe(token_id)
    np.testing.assert_array_equal(sampler._adjust(row(1, 1, 1, 1)), row(1, 1, 0.25, 0))


def test_penalties_keep_count_of_many_different_tokens() -> None:
    sampler = Sampler(SamplingParams(frequency_penalty=1.0), 0, 0, [], 1000)
    for token_id in [*range(1000), 7]:
        sampler.observe(token_id)
    adjusted = sampler._adjust(np.zeros(1000, dtype=np.float32))
    assert adjusted[7] == -2.0
    assert (np.delete(adjusted, 7) == -1.0).all()


def test_logprobs_are_those_of_the_raw_logits() -> None:
    logits = random_row(8)
    exact = logits.astype(np.float64) - np.log(np.exp(logits.astype(np.float64)).sum())
    params = SamplingParams(
        temperature=0.3, top_k=3, repetition_penalty=1.5, logit_bias={1: 50.0}, logprobs=5
    )
    result = sample(logits, params)
    assert result.logprob == pytest.approx(exact[result.token_id], abs=1e-5)
    best = sorted(range(VOCAB_SIZE), key=lambda token_id: -logits[token_id])[:5]
    assert [token_id for token_id, _ in result.top] == best
    assert [logprob for _, logprob in result.top] == pytest.approx(exact[best], abs=1e-5)


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
        return [Sampler(params, seed, index, [], 5000).sample(logits, p).token_id for p in range(30)]

    assert drawn(1, 0) == drawn(1, 0)
    assert drawn(1, 0) != drawn(2, 0)
    assert drawn(1, 0) != drawn(1, 1)
    in_one_go = Sampler(params, 1, 0, [], 5000)
    assert [in_one_go.sample(logits, p).token_id for p in reversed(range(30))][::-1] == drawn(1, 0)


def test_rows_in_a_batch_are_sampled_as_if_alone() -> None:
    rows = np.stack([random_row(seed, 5000) for seed in range(8)])
    params = SamplingParams(temperature=0.9, top_p=0.95, logprobs=3)
    for number, logits in enumerate(rows):
        one = replace(params, seed=number)
        assert sample(logits, one, 3) == sample(np.array(logits, copy=True), one, 3)
