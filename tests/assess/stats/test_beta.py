from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wending.assess.stats.beta import beta_cdf, beta_quantile, binomial_cdf, student_t_quantile

SHAPES = st.floats(0.05, 400)


@settings(deadline=None, max_examples=200)
@given(x=st.floats(0, 1), a=SHAPES, b=SHAPES)
def test_cdf_equals_scipy(x: float, a: float, b: float) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    assert beta_cdf(x, a, b) == pytest.approx(scipy_stats.beta.cdf(x, a, b), abs=1e-10)


@settings(deadline=None, max_examples=100)
@given(probability=st.floats(0.001, 0.999), a=st.floats(0.5, 300), b=st.floats(0.5, 300))
def test_quantile_equals_scipy(probability: float, a: float, b: float) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    assert beta_quantile(probability, a, b) == pytest.approx(
        scipy_stats.beta.ppf(probability, a, b), abs=1e-9
    )


@settings(deadline=None, max_examples=100)
@given(trials=st.integers(1, 300), share=st.floats(0, 1), probability=st.floats(0.01, 0.99))
def test_binomial_equals_scipy(trials: int, share: float, probability: float) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    successes = round(share * trials)
    expected = scipy_stats.binom.cdf(successes, trials, probability)
    assert binomial_cdf(successes, trials, probability) == pytest.approx(expected, abs=1e-9)
    assert binomial_cdf(-1, trials, probability) == 0


@pytest.mark.parametrize("degrees", [1, 2, 5, 19, 100, 1000])
def test_student_t_equals_scipy(degrees: int) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    for probability in (0.6, 0.9, 0.975, 0.995):
        expected = scipy_stats.t.ppf(probability, degrees)
        assert student_t_quantile(probability, degrees) == pytest.approx(expected, rel=1e-6)
