from __future__ import annotations

import numpy as np
import pytest

from wending.assess.stats import quantile_bounds


@pytest.mark.parametrize(("size", "probability"), [(30, 0.5), (100, 0.9), (120, 0.95)])
def test_bounds_cover_the_quantile_of_the_population(size: int, probability: float) -> None:
    numbers = np.random.default_rng(4)
    truth = float(-np.log(1 - probability))  # of the exponential distribution
    bounds = [quantile_bounds(numbers.exponential(1, size).tolist(), probability) for _ in range(600)]
    covered = sum(one is not None and one.low <= truth <= one.high for one in bounds)
    assert 0.93 < covered / 600 < 0.995


def test_too_few_have_no_bounds() -> None:
    assert quantile_bounds(list(range(5)), 0.5) is None
    assert quantile_bounds(list(range(6)), 0.5) == (0, 5)
    assert quantile_bounds(list(range(70)), 0.95) is None
    assert quantile_bounds([], 0.5) is None
