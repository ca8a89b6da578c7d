from __future__ import annotations

import numpy as np
import pytest

from wending.assess.stats.paired import paired_change


def test_equals_scipys_paired_t_test() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    numbers = np.random.default_rng(1)
    first = {str(i): numbers.normal(i, 1, 3).tolist() for i in range(12)}
    second = {str(i): numbers.normal(i + 0.5, 1, 4).tolist() for i in range(11, -1, -1)}
    change = paired_change(first, second)
    means = [[float(np.mean(one[str(i)])) for i in range(12)] for one in (second, first)]
    expected = scipy_stats.ttest_rel(*means)
    assert change is not None
    assert change.interval is not None
    interval = expected.confidence_interval(0.95)
    assert change.difference == pytest.approx(np.mean(np.subtract(*means)))
    assert change.interval == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert change.items == change.worse + change.better == 12


def test_only_items_that_both_have() -> None:
    change = paired_change({"a": [1, 0], "b": [1], "c": [0]}, {"a": [1, 1], "c": [0], "d": [1]})
    assert change is not None
    assert (change.items, change.difference, change.worse, change.better) == (2, 0.25, 0, 1)
    assert paired_change({"a": [1]}, {"b": [1]}) is None
    same = paired_change({"a": [1], "b": [0]}, {"a": [1], "b": [0]})
    assert same is not None
    assert same.interval is None


def test_rounding_is_no_variance() -> None:
    change = paired_change({"a": [0.6], "b": [1.0], "c": [0.3]}, {"a": [0.4], "b": [0.8], "c": [0.1]})
    assert change is not None
    assert change.interval is None
