from __future__ import annotations

import numpy as np
import pytest

from wending.assess.stats import rate_over_items, wilson


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
