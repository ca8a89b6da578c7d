from __future__ import annotations

import pytest

from wending.assess.stats.difference import difference_of_proportions


@pytest.mark.parametrize(
    ("second", "first", "low", "high"),
    [
        # Newcombe (1998), table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_table_of_the_source(
    second: tuple[int, int], first: tuple[int, int], low: float, high: float
) -> None:
    found = difference_of_proportions(first[0] / first[1], first[1], second[0] / second[1], second[1])
    assert found == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
