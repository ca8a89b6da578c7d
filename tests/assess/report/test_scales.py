"""Axes hold every value and have a handful of round ticks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wending.assess.report.scales import linear_from_zero, logarithmic_around

VALUES = st.lists(st.floats(1e-4, 1e6), min_size=1, max_size=20)


@settings(deadline=None)
@given(VALUES)
def test_linear_axes(values: list[float]) -> None:
    scale = linear_from_zero(values, 0, 100)
    assert scale(0) == 0
    assert all(0 < scale(value) <= 100 for value in values)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 8
    assert all(0 <= scale(tick) <= 100.001 for tick in ticks)


@settings(deadline=None)
@given(VALUES)
def test_logarithmic_axes(values: list[float]) -> None:
    scale = logarithmic_around(values, 0, 100)
    assert all(-0.1 <= scale(value) <= 100.1 for value in values)
    assert 2 <= len(scale.ticks()) <= 11


def test_all_zero() -> None:
    assert linear_from_zero([0.0], 0, 100)(0.0) == 0


@pytest.mark.parametrize(
    ("values", "ticks"),
    [([0.05, 2.0], [0.05, 0.1, 0.2, 0.5, 1, 2]), ([10, 900], [10, 20, 50, 100, 200, 500, 1000])],
)
def test_logarithmic_ticks_are_steps_of_1_2_5(values: list[float], ticks: list[float]) -> None:
    assert logarithmic_around(values, 0, 1).ticks(7) == pytest.approx(ticks)
