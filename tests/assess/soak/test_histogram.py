"""Histograms of bounded size: quantiles within 2.5 %, and added up they are one of all the values."""

from __future__ import annotations

import numpy as np

from wending.assess.soak.histogram import Histogram


def histogram(values: np.ndarray) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(float(value))
    return made


def test_quantiles_lie_within_two_and_a_half_percent() -> None:
    values = np.random.default_rng(1).lognormal(-2, 1, 5000)
    made = histogram(values)
    for probability in (0.05, 0.5, 0.95, 0.99):
        found, exact = made.quantile(probability), np.quantile(values, probability)
        assert found is not None
        assert abs(found / exact - 1) < 0.03


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
