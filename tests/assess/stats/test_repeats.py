from __future__ import annotations

import itertools

import pytest

from wending.assess.stats import Divergence, divergence, pairwise_agreement, pass_at_k, pass_hat_k


@pytest.mark.parametrize(("repeats", "passed"), [(5, 0), (5, 3), (6, 6), (7, 1)])
def test_pass_of_k_is_the_mean_over_all_choices_of_k_repeats(repeats: int, passed: int) -> None:
    outcomes = [True] * passed + [False] * (repeats - passed)
    for k in range(1, repeats + 1):
        chosen = list(itertools.combinations(outcomes, k))
        assert pass_at_k(repeats, passed, k) == pytest.approx(sum(map(any, chosen)) / len(chosen))
        assert pass_hat_k(repeats, passed, k) == pytest.approx(sum(map(all, chosen)) / len(chosen))
    assert pass_at_k(repeats, passed, repeats + 1) is None
    assert pass_hat_k(repeats, passed, repeats + 1) is None


def test_pairs_that_agree() -> None:
    assert pairwise_agreement(["a", "a", "a"]) == 1
    assert pairwise_agreement(["a", "a", "b", "b"]) == pytest.approx(2 / 6)
    assert pairwise_agreement([None, None]) == 0
    assert pairwise_agreement(["a"]) is None


def test_where_texts_part() -> None:
    assert divergence(["abcd", "abxd", "abce"]) == Divergence(2, 4)
    assert divergence(["ab", "abc"]) == Divergence(2, 3)
    assert divergence(["", "x"]) == Divergence(0, 1)
    assert divergence(["same", "same"]) is None
    assert divergence(["one"]) is None
