from __future__ import annotations

import math

import numpy as np
import pytest

from wending.assess.stats.ratio import rank_sum_ways, ratio


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize(("n", "m"), [(20, 20), (4, 4), (20, 3), (9, 14)])
def test_the_interval_excludes_1_where_the_exact_test_does(n: int, m: int, shift: float) -> None:
    mannwhitneyu = pytest.importorskip("scipy.stats").mannwhitneyu
    numbers = np.random.default_rng(n * m)
    for _ in range(40):
        first, second = numbers.lognormal(0, 0.5, n), numbers.lognormal(shift, 0.5, m)
        found = ratio(first.tolist(), second.tolist())
        assert found is not None
        p = mannwhitneyu(first, second, method="exact").pvalue
        assert (found.interval is not None and not found.interval.low <= 1 <= found.interval.high) == (
            p <= 0.05
        )


def test_orders_are_counted_as_by_hand() -> None:
    assert rank_sum_ways(2, 2) == [1, 1, 2, 1, 1]
    assert sum(rank_sum_ways(7, 12)) == math.comb(19, 7)


def test_the_interval_covers_the_factor_as_often_as_it_says() -> None:
    numbers = np.random.default_rng(3)
    rounds, covered = 1000, 0
    for _ in range(rounds):
        first, second = numbers.gamma(4, 1, 12).tolist(), (1.3 * numbers.gamma(4, 1, 9)).tolist()
        found = ratio(first, second)
        assert found is not None
        assert found.interval is not None
        covered += found.interval.low <= 1.3 <= found.interval.high
    assert 0.935 < covered / rounds < 0.98


def test_a_factor_that_few_values_show_and_what_gives_none() -> None:
    found = ratio([0.1, 0.11, 0.12, 0.1, 0.1, 0.11], [13.5, 13.6, 13.4, 13.9])
    assert found is not None
    assert found.interval is not None
    assert found.interval.low > 100
    assert found.interval.low <= found.estimate <= found.interval.high
    few = ratio([1, 2, 3], [4, 5, 6])
    assert few is not None
    assert few.interval is None, "of 20 orders each has a chance of 5 %, on two sides 10 %"
    assert ratio([], [1.0]) is None
    assert ratio([0.0, 1.0], [1.0]) is None
