"""Quantiles as they stand in report.json: none, and no bounds, that the count does not carry."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from wending.assess.distribution import distribution


def test_values_and_bounds_are_those_of_scipy() -> None:
    values = np.random.default_rng(5).lognormal(size=90).tolist()
    found = distribution(values, "p5", "p50", "p95")
    for name, probability in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95)):
        assert found[name] == pytest.approx(np.quantile(values, probability), abs=1e-5)
        bounds = scipy.stats.quantile_test(values, p=probability).confidence_interval()
        assert found[f"{name}_bounds"] == pytest.approx(list(bounds), abs=1e-5)
    assert found["n"] == 90


@pytest.mark.parametrize(
    ("count", "carried"),
    [
        (0, set()),
        (1, {"p50"}),
        (6, {"p50", "p50_bounds"}),
        (20, {"p50", "p50_bounds", "p95"}),
        (71, {"p50", "p50_bounds", "p95"}),
        (72, {"p50", "p50_bounds", "p95", "p95_bounds"}),
    ],
)
def test_what_a_count_carries(count: int, carried: set[str]) -> None:
    found = distribution([float(value) for value in range(count)], "p50", "p95")
    assert found.pop("n") == count
    assert {name for name, value in found.items() if value is not None} == carried


def test_what_was_broken_off_has_no_bounds() -> None:
    found = distribution([float(value) for value in range(72)], "p50", "p95", complete=False)
    assert found["p50"] == 35.5
    assert found["p50_bounds"] is found["p95_bounds"] is None
