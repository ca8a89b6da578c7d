"""Histograms of bounded size: quantiles within 5 %, and added up they are one of all the values."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from wending.assess.soak.histogram import Histogram


def histogram(values: np.ndarray) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(float(value))
    return made


def test_quantiles_lie_near_the_values_own() -> None:
    values = np.random.default_rng(1).lognormal(-2, 1, 5000)
    made = histogram(values)
    for probability in (0.05, 0.5, 0.95, 0.99):
        found, exact = made.quantile(probability), np.quantile(values, probability)
        assert found is not None
        assert abs(found / exact - 1) < 0.03


def test_a_small_shift_of_all_values_shows_in_the_median() -> None:
    """Less than a bucket: a drift over hours must not hide between two buckets."""
    values = np.random.default_rng(3).lognormal(-1, 0.3, 4000)
    medians = [histogram(values * (1 + shift)).quantile(0.5) for shift in (0.0, 0.01, 0.02, 0.03)]
    for before, after in pairwise(medians):
        assert before is not None
        assert after is not None
        assert 1.002 < after / before < 1.02


def test_the_trimmed_mean_is_that_of_the_values_and_follows_a_small_shift() -> None:
    values = np.random.default_rng(4).lognormal(-1, 0.3, 4000)
    found = [histogram(values + shift).trimmed_mean() for shift in (0.0, 0.003)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] == pytest.approx(stats.trim_mean(values, 0.1), rel=0.002)
    assert found[1] - found[0] == pytest.approx(0.003, rel=0.2)
    outlier = histogram(np.append(values, 1000.0)).trimmed_mean()
    assert outlier == pytest.approx(found[0], rel=0.001)
    assert histogram(np.array([0.5])).trimmed_mean() == pytest.approx(0.5, rel=0.03)


def test_sums_and_json_keep_every_count() -> None:
    values = np.random.default_rng(2).exponential(1, 400)
    halves = histogram(values[:150])
    halves.merge(Histogram(histogram(values[150:]).to_json()))
    assert halves.to_json() == histogram(values).to_json()
    assert halves.count == 400


def test_what_the_count_cannot_carry_is_none() -> None:
    few = histogram(np.array([0.0, 1.0]))
    assert few.quantile(0.5) is not None
    assert few.quantile(0.95) is None
    assert Histogram().quantile(0.5) is None
    assert Histogram().trimmed_mean() is None
