"""Chooses the next token of one completion from its row of logits.

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

Of equal logits the lower id comes first, everywhere. Each row is worked on alone, by operations whose
result depends on that row and nothing else, so the other rows of a batch cannot change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wending.engine.random_numbers import uniform
from wending.engine.sampling_params import SamplingParams
from wending.engine.token_counts import TokenCounts

_LARGEST_INVERSE_TEMPERATURE = 1e20  # already greedy but for exact ties, and far from overflow in float32
_DRAW_BLOCK = 512


class NonFiniteLogits(ArithmeticError):  # noqa: N818
    """The model produced infinities or NaN for real tokens, so nothing can be chosen."""


@dataclass(slots=True)
class Sample:
    """A chosen token; with log-probabilities, in natural logarithms, if they were asked for."""

    token_id: int
    logprob: float | None = None
    top: Sequence[tuple[int, float]] = ()
    """The most likely tokens and their log-probabilities, most likely first."""


class Sampler:
    """Samples one completion: its parameters, its random numbers, and the tokens it has seen."""

    def __init__(
        self, params: SamplingParams, seed: int, index: int, prompt_token_ids: Iterable[int], vocab_size: int
    ) -> None:
        """`index`: which of the request's n completions. Ids from `vocab_size` on are never sampled."""
        self._params = params
        self._seed = seed
        self._index = index
        self._vocab_size = vocab_size
        self._inverse_temperature = (
            0.0 if params.greedy else min(1.0 / params.temperature, _LARGEST_INVERSE_TEMPERATURE)
        )
        self._bias_ids = np.array(list(params.logit_bias), dtype=np.int64)
        self._biases = np.array(list(params.logit_bias.values()), dtype=np.float32)
        # This penalty asks only whether a token is there, so of a long prompt each is counted once.
        repetition = params.repetition_penalty != 1.0
        self._seen = TokenCounts(dict.fromkeys(prompt_token_ids)) if repetition else None
        additive = params.presence_penalty != 0.0 or params.frequency_penalty != 0.0
        self._generated = TokenCounts() if additive else None

    def sample(self, row: NDArray[np.float32], position: int) -> Sample:
        """The token at `position` (from 0) of the completion, given its logits: float32 [vocabulary of the
        model].

        Leaves `row` unchanged. Raises NonFiniteLogits.
        """
        logits = row[: self._vocab_size]
        if not np.isfinite(logits).all():
            count = int(np.count_nonzero(~np.isfinite(logits)))
            raise NonFiniteLogits(f"the model produced {count} non-finite logits of {len(logits)}")
        adjusted = self._adjust(logits)
        token_id = int(adjusted.argmax()) if self._params.greedy else self._draw(adjusted, position)
        if self._params.logprobs is None:
            return Sample(token_id)
        return _with_logprobs(logits, token_id, self._params.logprobs)

    def observe(self, token_id: int) -> None:
        """Count a token as part of the completion, for the penalties."""
        if self._seen is not None:
            self._seen.add(token_id)
        if self._generated is not None:
            self._generated.add(token_id)

    def _adjust(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bias and penalties, on a copy where there are any."""
        if not len(self._bias_ids) and self._seen is None and self._generated is None:
            return logits
        logits = logits.copy()
        logits[self._bias_ids] += self._biases
        if self._seen is not None:
            ids, penalty = self._seen.ids, np.float32(self._params.repetition_penalty)
            values = logits[ids]
            logits[ids] = np.where(values > 0, values / penalty, values * penalty)
        if self._generated is not None:
            frequency = self._generated.counts * np.float32(self._params.frequency_penalty)
            logits[self._generated.ids] -= frequency + np.float32(self._params.presence_penalty)
        return logits

    def _draw(self, logits: NDArray[np.float32], position: int) -> int:
        """Temperature, filters and the draw itself."""
        params = self._params
        largest = logits.max()
        ids: NDArray[np.int64] | None = None  # of the candidates, ascending; None stands for all
        if 0 < params.top_k < len(logits):
            ids = _top_k(logits, params.top_k)
            logits = logits[ids]
        weights = np.exp((logits - largest) * np.float32(self._inverse_temperature))  # the largest is 1
        if params.min_p > 0.0:
            weights, ids = _keep((weights >= params.min_p).nonzero()[0], weights, ids)
        if params.top_p < 1.0:
            weights, ids = _keep(_nucleus(weights, params.top_p), weights, ids)
        drawn = _inverse_cumulative(weights, uniform(self._seed, self._index, position))
        return drawn if ids is None else int(ids[drawn])


def _keep(
    kept: NDArray[np.int64], weights: NDArray[np.float32], ids: NDArray[np.int64] | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Candidates narrowed to the positions `kept`."""
    return weights[kept], kept if ids is None else ids[kept]


def _top_k(logits: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Ids of the k largest logits, ascending; of equals at the border the lowest ids. 0 < k < len(logits)."""
    border = np.partition(logits, -k)[-k]
    ids: NDArray[np.int64] = (logits >= border).nonzero()[0]
    surplus = len(ids) - k
    if surplus:
        kept = np.ones(len(ids), dtype=np.bool_)
        kept[(logits[ids] == border).nonzero()[0][-surplus:]] = False
        ids = ids[kept]
    return ids


def _nucleus(weights: NDArray[np.float32], top_p: float) -> NDArray[np.int64]:
    """Positions, ascending, of the fewest largest weights that make up `top_p` of the sum."""
    total = float(weights.sum(dtype=np.float64))
    # Weights below this sum to less than the share that is cut off, so none of them can be needed.
    candidates = (weights >= (1.0 - top_p) * total / len(weights)).nonzero()[0]
    weights = weights[candidates]
    # The bits of positive floats are ordered as the floats are. Sums over the weights that share their
    # leading bits show where the border lies, so that only those at the border need sorting, however flat
    # they all are.
    buckets = weights.view(np.int32) >> 16
    buckets -= buckets.min()
    from_largest = np.bincount(buckets, weights)[::-1].cumsum()
    at = min(int(from_largest.searchsorted(top_p * total)), len(from_largest) - 1)
    border = len(from_largest) - 1 - at
    kept = buckets > border
    inside = (buckets == border).nonzero()[0]
    inside = inside[(-weights[inside]).argsort(kind="stable")]
    sums = weights[inside].cumsum(dtype=np.float64) + (from_largest[at - 1] if at else 0.0)
    kept[inside[: int(sums.searchsorted(top_p * total)) + 1]] = True
    return candidates[kept]


def _inverse_cumulative(weights: NDArray[np.float32], number: float) -> int:
    """The first position whose cumulative weight exceeds `number` (in [0, 1)) of the sum.

    Sums blocks first and then walks through one: a running sum over a whole vocabulary is slow.
    """
    if len(weights) > _DRAW_BLOCK:
        starts = np.arange(0, len(weights), _DRAW_BLOCK)
        block_sums = np.add.reduceat(weights, starts, dtype=np.float64)
        block, number = _find(block_sums, number)
        start = int(starts[block])
        return start + _find(weights[start : start + _DRAW_BLOCK], number)[0]
    return _find(weights, number)[0]


def _find(weights: NDArray[np.float32] | NDArray[np.float64], number: float) -> tuple[int, float]:
    """The position of `number` in the cumulative sum, and how far into that position's own weight it falls,
    in [0, 1)."""
    sums = weights.cumsum(dtype=np.float64)
    target = number * sums[-1]
    # The second bound holds when rounding made the target reach the sum: then it is the last position with
    # weight.
    position = min(int(sums.searchsorted(target, side="right")), int(sums.searchsorted(sums[-1])))
    before = sums[position - 1] if position else 0.0
    return position, float(min((target - before) / (sums[position] - before), 1.0))


def _with_logprobs(logits: NDArray[np.float32], token_id: int, num_top: int) -> Sample:
    """The sample with log-softmax values: of the chosen token and of the `num_top` most likely ones."""
    largest = float(logits.max())
    log_sum = largest + float(np.log(np.exp(logits - np.float32(largest)).sum(dtype=np.float64)))
    top_ids: Iterable[int] = ()
    if num_top:
        ids = np.arange(len(logits)) if num_top >= len(logits) else _top_k(logits, num_top)
        top_ids = ids[np.argsort(-logits[ids], kind="stable")].tolist()
    return Sample(
        token_id,
        float(logits[token_id]) - log_sum,
        [(top_id, float(logits[top_id]) - log_sum) for top_id in top_ids],
    )
