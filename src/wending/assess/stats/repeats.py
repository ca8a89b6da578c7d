"""What several repeats of one item say together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


def pass_at_k(repeats: int, passed: int, k: int) -> float | None:
    """The chance that at least one of k repeats passes, without bias from `passed` of `repeats`; None for
    fewer repeats than k.

    Source: M. Chen et al., "Evaluating large language models trained on code" (2021), equation 1.
    """
    if repeats < k:
        return None
    return 1 - math.comb(repeats - passed, k) / math.comb(repeats, k)


def pass_hat_k(repeats: int, passed: int, k: int) -> float | None:
    """The chance that all of k repeats pass (pass^k), in the same way.

    Source: S. Yao et al., "tau-bench: a benchmark for tool-agent-user interaction in real-world domains"
    (2024).
    """
    if repeats < k:
        return None
    return math.comb(passed, k) / math.comb(repeats, k)


def pairwise_agreement(answers: Sequence[Hashable]) -> float | None:
    """The share of pairs of repeats that agree; None for fewer than two. None among the answers agrees with
    nothing."""
    pairs = math.comb(len(answers), 2)
    if not pairs:
        return None
    counts = Counter(answer for answer in answers if answer is not None)
    return sum(math.comb(count, 2) for count in counts.values()) / pairs


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where repeats part: after so many characters that all have in common, of so many in the longest."""

    characters: int
    longest: int


def divergence(texts: Sequence[str]) -> Divergence | None:
    """None where all are equal, or fewer than two."""
    if len(set(texts)) < 2:
        return None
    # What the first and the last in order have in common, all between them have.
    first, last = min(texts), max(texts)
    common = next(
        (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other),
        min(len(first), len(last)),
    )
    return Divergence(common, max(map(len, texts)))
