"""Choosing a token in plain numpy and float64, to be read beside the rules of wending/engine/sampler.py.

Sorts whole vocabularies and goes over rows one by one. The kernel rounds its sums elsewhere, so what may be
drawn is a set: more than one token only where the random number lies at the border of two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wending.engine.sampling_params import SamplingParams

ROUNDING = 2e-6
"""Share of the probability by which sums of float32 weights may be off."""


@dataclass(frozen=True)
class Row:
    """The logits of one completion and what has been seen of it."""

    logits: NDArray[np.float32]
    params: SamplingParams
    prompt: Sequence[int] = ()
    completion: Sequence[int] = ()
    allowed: NDArray[np.bool_] | None = None


def adjusted(row: Row) -> NDArray[np.float32]:
    """Logits after biases and penalties, and minus infinity where a token is forbidden."""
    logits, params = row.logits.copy(), row.params
    for token_id, bias in params.logit_bias.items():
        logits[token_id] += np.float32(bias)
    if params.repetition_penalty != 1:
        penalty = np.float32(params.repetition_penalty)
        for token_id in {*row.prompt, *row.completion}:
            logits[token_id] = (
                logits[token_id] / penalty if logits[token_id] > 0 else logits[token_id] * penalty
            )
    for token_id, count in Counter(row.completion).items():
        frequency = np.float32(count) * np.float32(params.frequency_penalty)
        logits[token_id] -= frequency + np.float32(params.presence_penalty)
    if row.allowed is not None:
        logits[~row.allowed] = -np.inf
    return logits


def possible_tokens(row: Row, number: float) -> set[int]:
    """Tokens that may be drawn with this random number."""
    logits = adjusted(row)
    ranked = np.argsort(-logits, kind="stable")  # of equals the lower id first
    if row.params.greedy:
        return {int(ranked[0])}
    if row.params.top_k > 0:
        ranked = ranked[: row.params.top_k]
    with np.errstate(over="ignore"):
        scaled = (logits - logits[ranked[0]]).astype(np.float64) / row.params.temperature
    weights = np.exp(scaled)
    low, high = ranked, ranked  # at the least and at the most: where rounding could decide on the last one
    if row.params.min_p > 0:
        low = ranked[weights[ranked] >= min(row.params.min_p * (1 + ROUNDING), 1.0)]
        high = ranked[weights[ranked] >= row.params.min_p * (1 - ROUNDING)]
    if row.params.top_p < 1:
        low = low[: _nucleus_size(weights[low], row.params.top_p - ROUNDING)]
        high = high[: _nucleus_size(weights[high], row.params.top_p + ROUNDING)]
    return _drawn(np.sort(low), weights, number) | _drawn(np.sort(high), weights, number)


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Natural logarithms of the probabilities."""
    exact = logits.astype(np.float64)
    exact -= exact.max()
    result: NDArray[np.float64] = exact - np.log(np.exp(exact).sum())
    return result


def _nucleus_size(weights: NDArray[np.float64], top_p: float) -> int:
    """How many of the weights, which descend, make up `top_p` of their sum."""
    sums = weights.cumsum()
    return int(min(sums.searchsorted(top_p * sums[-1]) + 1, len(weights)))


def _drawn(ids: NDArray[np.int64], weights: NDArray[np.float64], number: float) -> set[int]:
    """What the inverse of the cumulative distribution gives, within rounding. `ids` ascend."""
    sums = weights[ids].cumsum()
    first = sums.searchsorted((number - ROUNDING) * sums[-1])
    last = sums.searchsorted((number + ROUNDING) * sums[-1])
    return set(ids[first : last + 1].tolist())
