"""The exact bound of a crash rate."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from wending.assess.soak.crash_rate import upper_bound


def test_none_is_the_rule_of_three() -> None:
    assert upper_bound(0, 24) == pytest.approx(-math.log(0.05) / 24)


@pytest.mark.parametrize("crashes", [1, 2, 7, 100])
def test_some_agree_with_the_chi_square_form(crashes: int) -> None:
    assert upper_bound(crashes, 10) == pytest.approx(stats.chi2.ppf(0.95, 2 * crashes + 2) / 20, rel=1e-9)


def test_no_time_proves_nothing() -> None:
    assert upper_bound(0, 0) is None
    with pytest.raises(ValueError, match="-1"):
        upper_bound(-1, 1)
