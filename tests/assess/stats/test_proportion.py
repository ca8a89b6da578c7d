"""Statistics against scipy and numpy, and refusals where the count is too small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wending.assess.stats import exact, median, min_count, most_without_failure, quantile, wilson


def test_wilson_of_known_cases() -> None:
    # 5 of 10 at 95 %: z² = 3.8415, (5 + z²/2)/(10 + z²) = 0.5, half-width 0.26342.
    interval = wilson(5, 10)
    assert interval is not None
    assert interval.low == pytest.approx(0.2366, abs=1e-4)
    assert interval.high == pytest.approx(0.7634, abs=1e-4)
    assert wilson(0, 5) == (0.0, pytest.approx(0.4345, abs=1e-4))
    assert wilson(5, 5) == (pytest.approx(0.5655, abs=1e-4), 1.0)


@settings(deadline=None, max_examples=60)  # the first call imports scipy
@given(trials=st.integers(1, 2000), share=st.floats(0, 1), confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_equals_scipy(trials: int, share: float, confidence: float) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    successes = round(trials * share)
    expected = scipy_stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    assert wilson(successes, trials, confidence) == (
        pytest.approx(expected.low, abs=1e-9),
        pytest.approx(expected.high, abs=1e-9),
    )


@given(trials=st.integers(1, 500), share=st.floats(0, 1))
def test_wilson_holds_the_proportion_and_narrows(trials: int, share: float) -> None:
    successes = round(trials * share)
    interval, wider = wilson(successes, trials), wilson(successes, trials, 0.99)
    assert interval is not None
    assert wider is not None
    assert 0 <= wider.low <= interval.low <= successes / trials <= interval.high <= wider.high <= 1


def test_no_trials_no_interval() -> None:
    assert wilson(0, 0) is None


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (1, 0)])
def test_impossible_counts_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match=f"{successes} of {trials}"):
        wilson(successes, trials)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1"):
        wilson(1, 2, confidence)


def test_quantiles_need_enough_values() -> None:
    assert [min_count(p) for p in (0.5, 0.9, 0.95, 0.99, 0.05)] == [2, 10, 20, 100, 20]
    assert quantile([1.0] * 19, 0.95) is None
    assert quantile([1.0] * 20, 0.95) == 1.0
    assert quantile([], 0.5) is None
    for probability in (0, 1, 95):
        with pytest.raises(ValueError, match="probability"):
            quantile([1.0], probability)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=200), st.sampled_from([0.05, 0.25, 0.5, 0.9, 0.95])
)
def test_quantile_equals_numpy(values: list[float], probability: float) -> None:
    assert quantile(values, probability) == pytest.approx(float(np.quantile(values, probability)), abs=1e-6)


def test_median() -> None:
    assert median([]) is None
    assert median([3.0]) == 3.0
    assert median([3.0, 1.0]) == 2.0
    assert median([5.0, 1.0, 3.0]) == 3.0


@settings(deadline=None, max_examples=60)
@given(trials=st.integers(1, 800), share=st.floats(0, 1), confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_exact_equals_scipy(trials: int, share: float, confidence: float) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    successes = round(trials * share)
    expected = scipy_stats.binomtest(successes, trials).proportion_ci(confidence, method="exact")
    assert exact(successes, trials, confidence) == (
        pytest.approx(expected.low, abs=1e-9),
        pytest.approx(expected.high, abs=1e-9),
    )


def test_what_no_failure_leaves_possible() -> None:
    assert most_without_failure(100) == pytest.approx(0.02951, abs=1e-5)
    assert (1 - (most_without_failure(100) or 0)) ** 100 == pytest.approx(0.05)
    assert most_without_failure(0) is None
