"""Chooses the next token of each completion from its row of logits.

In this order, the field's usual one (that of vLLM):

1. Rows of the model beyond the real vocabulary are cut off. A non-finite logit ends the completion.
2. If log-probabilities were asked for: log-softmax of the logits as the model gave them.
3. logit_bias is added.
4. Repetition penalty over prompt and completion (Keskar et al. 2019, https://arxiv.org/abs/1909.05858, in
   the form of transformers: positive logits divided, negative ones multiplied), then frequency and presence
   penalty over the completion (as OpenAI defines them).
5. Temperature 0: the largest logit. Otherwise the logits are divided by the temperature.
6. top_k, min_p, then top_p over the distribution that these leave (Holtzman et al. 2020,
   https://arxiv.org/abs/1904.09751), renormalised.
7. One uniform number (random_numbers.py) is put through the inverse of the cumulative distribution, whose
   tokens stand in order of their ids.

Of equal logits the lower id comes first, everywhere. Tokens that a row may not choose (`allowed`) lose their
weight after step 4. Each row is worked on alone, in one fixed order, so neither the other rows of a batch nor
the number of threads can change its result. The work is done in kernels/sampling.cpp, for all rows of a step
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wending.engine.random_numbers import uniform
from wending.engine.sampling_params import SamplingParams
from wending.model import sampling

# At one end already greedy but for exact ties, at the other uniform, and far from overflow in float32.
_LARGEST_INVERSE_TEMPERATURE = 1e20
_SMALLEST_INVERSE_TEMPERATURE = 1e-30


class NonFiniteLogits(ArithmeticError):  # noqa: N818
    """The model produced infinities or NaN for real tokens, so nothing can be chosen."""


class NothingAllowed(ArithmeticError):  # noqa: N818
    """Every token of the vocabulary is forbidden, so nothing can be chosen."""


@dataclass(slots=True)
class Sample:
    """A chosen token; with log-probabilities, in natural logarithms, if they were asked for."""

    token_id: int
    logprob: float | None = None
    top: Sequence[tuple[int, float]] = ()
    """The most likely tokens and their log-probabilities, most likely first."""


class Sampler:
    """How one completion is sampled: its parameters, its random numbers, and the tokens it has seen."""

    def __init__(
        self, params: SamplingParams, seed: int, index: int, prompt_token_ids: Sequence[int] = ()
    ) -> None:
        """`index`: which of the request's n completions."""
        self._seed = seed
        self._index = index
        self.greedy = params.greedy
        self.logprobs = params.logprobs
        self.row = sampling.RowSampler(
            inverse_temperature=_inverse_temperature(params),
            top_k=max(params.top_k, 0),
            min_p=params.min_p,
            top_p=params.top_p,
            repetition_penalty=params.repetition_penalty,
            presence_penalty=params.presence_penalty,
            frequency_penalty=params.frequency_penalty,
            bias_ids=np.array(list(params.logit_bias), dtype=np.int32),
            biases=np.array(list(params.logit_bias.values()), dtype=np.float32),
            num_logprobs=-1 if params.logprobs is None else params.logprobs,
            prompt_token_ids=np.array(
                prompt_token_ids if params.repetition_penalty != 1.0 else (), dtype=np.int32
            ),
        )

    def number(self, position: int) -> float:
        """The random number of the token at `position` (from 0) of the completion; 0 if none is needed."""
        return 0.0 if self.greedy else uniform(self._seed, self._index, position)

    def observe(self, token_id: int) -> None:
        """Count a token as part of the completion, for the penalties."""
        self.row.observe(token_id)


def sample_rows(
    logits: NDArray[np.float32],
    samplers: Sequence[Sampler],
    positions: Sequence[int],
    vocab_size: int,
    allowed: NDArray[np.uint32] | None = None,
) -> list[Sample | NonFiniteLogits | NothingAllowed]:
    """For each row of `logits`, float32 [L, vocabulary of the model], the next token or why there is none.

    `positions` [L]: of the token in its completion, from 0. Ids from `vocab_size` on are never chosen.
    `allowed`, uint32 [L, ceil(vocab_size / 32)]: bit i % 32 of word i // 32 tells whether token i may be
    chosen.
    """
    numbers = [sampler.number(position) for sampler, position in zip(samplers, positions, strict=True)]
    rows = [sampler.row for sampler in samplers]
    sampled = sampling.sample(logits, vocab_size, rows, numbers, allowed)
    return [_outcome(*pair, vocab_size) for pair in zip(samplers, sampled, strict=True)]


def _outcome(
    sampler: Sampler, row: sampling.SampledRow, vocab_size: int
) -> Sample | NonFiniteLogits | NothingAllowed:
    if row.token_id >= 0:
        if sampler.logprobs is None:
            return Sample(row.token_id)
        return Sample(row.token_id, row.logprob, row.top)
    if row.all_forbidden:
        return NothingAllowed(f"all {vocab_size} tokens are forbidden")
    return NonFiniteLogits(f"the model produced {row.non_finite} non-finite logits of {vocab_size}")


def _inverse_temperature(params: SamplingParams) -> float:
    """What logits are multiplied by; 0 stands for greedy."""
    if params.greedy:
        return 0.0
    return max(min(1.0 / params.temperature, _LARGEST_INVERSE_TEMPERATURE), _SMALLEST_INVERSE_TEMPERATURE)
