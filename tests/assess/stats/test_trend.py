"""Slopes against scipy's, and no trend seen in what only wanders."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wending.assess.stats.trend import trend


def test_slope_and_test_agree_with_scipy() -> None:
    random = np.random.default_rng(3)
    x = np.arange(60.0)
    y = 0.02 * x + random.normal(0, 1, 60)
    found = trend(x.tolist(), y.tolist())
    assert found is not None
    assert found.slope == pytest.approx(stats.theilslopes(y, x).slope)
    assert found.low < found.slope < found.high
    # Widened for correlation in time, so never surer than the plain test.
    assert found.p >= stats.kendalltau(x, y, method="asymptotic").pvalue * 0.9


def test_the_interval_covers_the_slope() -> None:
    random = np.random.default_rng(4)
    x = np.arange(50.0)
    covered = 0
    for _ in range(200):
        found = trend(x.tolist(), (0.5 * x + random.normal(0, 3, 50)).tolist())
        assert found is not None
        covered += found.low <= 0.5 <= found.high
    assert covered >= 186


def test_a_wandering_flat_series_has_no_trend() -> None:
    random = np.random.default_rng(5)
    alarms = 0
    for _ in range(200):
        noise, values = random.normal(0, 1, 100), np.zeros(100)
        for index in range(1, 100):
            values[index] = 0.6 * values[index - 1] + noise[index]
        found = trend(range(100), values.tolist())
        assert found is not None
        alarms += found.p < 0.01
    assert alarms <= 6


def test_noise_on_top_does_not_hide_that_a_series_wanders() -> None:
    """With the first lag alone the interval covered 141 of these 200."""
    random = np.random.default_rng(6)
    covered = 0
    for _ in range(200):
        noise, values = random.normal(0, 1, 216), np.zeros(216)
        for index in range(1, 216):
            values[index] = 0.9 * values[index - 1] + noise[index]
        found = trend(range(216), (values + random.normal(0, 3, 216)).tolist())
        assert found is not None
        covered += found.low <= 0 <= found.high
    assert covered >= 170


def test_a_constant_has_the_slope_zero_and_few_points_have_none() -> None:
    flat = trend(range(20), [7.0] * 20)
    assert flat is not None
    assert (flat.slope, flat.p) == (0.0, 1.0)
    assert trend(range(9), range(9)) is None
    with pytest.raises(ValueError, match="x has 3 values and y has 2"):
        trend([1, 2, 3], [1, 2])
