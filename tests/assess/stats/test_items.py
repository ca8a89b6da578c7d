from __future__ import annotations

import numpy as np
import pytest
import scipy.special

from wending.assess.stats import mean_over_items, pass_hat_k, rate_over_items, wilson


@pytest.mark.parametrize(("items", "repeats"), [(20, 5), (40, 5), (40, 10), (26, 2)])
@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.9])
def test_it_covers_what_it_says(items: int, repeats: int, rate: float, correlation: float) -> None:
    """Items of different difficulty: their rates are drawn from a beta distribution."""
    numbers = np.random.default_rng(1)
    covered, rounds = 0, 400
    for _ in range(rounds):
        rates = np.full(items, rate)
        if correlation:
            spread = (1 - correlation) / correlation
            rates = numbers.beta(rate * spread, (1 - rate) * spread, items)
        passed = numbers.random((items, repeats)) < rates[:, None]
        interval = rate_over_items([row.tolist() for row in passed]).interval
        assert interval is not None
        covered += interval.low <= rate <= interval.high
    assert covered / rounds > 0.9


def test_repeats_that_always_agree_count_once() -> None:
    once, five_times = [[True]] * 16 + [[False]] * 4, [[True] * 5] * 16 + [[False] * 5] * 4
    alone, repeated = rate_over_items(once), rate_over_items(five_times)
    assert alone.interval == wilson(16, 20)
    assert repeated.effective_runs == pytest.approx(20, rel=0.15)
    assert (repeated.passed, repeated.runs, repeated.items) == (80, 100, 20)


def test_all_passed_and_none() -> None:
    all_passed = rate_over_items([[True] * 5] * 20)
    assert all_passed.interval == wilson(20, 20)
    assert rate_over_items([[False] * 5] * 20).interval == wilson(0, 20)
    assert rate_over_items([]).interval is None
    assert rate_over_items([[], [True]]).items == 1


@pytest.mark.parametrize(("items", "repeats", "k"), [(20, 5, 3), (40, 10, 5), (26, 2, 2)])
@pytest.mark.parametrize("rate", [0.5, 0.95])
@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_the_interval_of_pass_hat_k_covers_what_it_says(
    items: int, repeats: int, k: int, rate: float, correlation: float
) -> None:
    numbers = np.random.default_rng(2)
    truth, rates = rate**k, np.full(items, rate)
    a, b = (x * (1 - correlation) / max(correlation, 1e-9) for x in (rate, 1 - rate))
    if correlation:  # the k-th moment of a beta distribution
        truth = scipy.special.beta(a + k, b) / scipy.special.beta(a, b)
    covered, rounds = 0, 200
    for _ in range(rounds):
        if correlation:
            rates = numbers.beta(a, b, items)
        passed = numbers.binomial(repeats, rates).tolist()
        shares = [pass_hat_k(repeats, one, k) or 0.0 for one in passed]
        found = mean_over_items(shares, trials=items * repeats / k)
        assert found is not None
        covered += found.interval.low <= truth <= found.interval.high
    assert covered / rounds > 0.9


def test_the_mean_of_the_shares_of_items_is_their_rate() -> None:
    """As many repeats of each: the same mean, the same interval."""
    passed = [5, 5, 4, 5, 0, 2, 5, 5, 5, 3]
    rate = rate_over_items([[True] * one + [False] * (5 - one) for one in passed])
    found = mean_over_items([one / 5 for one in passed], trials=50)
    assert found is not None
    assert found.mean == pytest.approx(rate.passed / rate.runs)
    assert found.interval == pytest.approx(rate.interval)


def test_a_yes_or_no_of_each_item_counts_once() -> None:
    found = mean_over_items([1.0] * 16 + [0.0] * 4, trials=20)
    assert found is not None
    assert found.interval == wilson(16, 20)
    same = mean_over_items([1.0] * 20, trials=100)
    assert same is not None
    assert same.interval == wilson(20, 20)
    assert mean_over_items([], trials=0) is None
