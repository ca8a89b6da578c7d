from __future__ import annotations

import pytest

from wending.engine.step_costs import StepCosts


def costs(base_s: float, row_s: float, rows: int = 16) -> StepCosts:
    """Steps that take `base_s` and so much for each row, seen for up to so many rows."""
    made = StepCosts()
    for count in range(1, rows + 1):
        made.note(count, base_s + count * row_s)
    return made


def test_nothing_is_guessed_before_a_step_without_guesses_was_seen() -> None:
    made = StepCosts()
    assert made.worthwhile([(8, 1.0)], sequences=1, most=15) == [0]
    made.note(1, 0.01)
    assert made.worthwhile([(8, 1.0)], sequences=2, most=14) == [0]
    assert made.worthwhile([(8, 1.0)], sequences=1, most=15) == [8]


def test_where_rows_cost_nothing_all_is_guessed() -> None:
    assert costs(0.01, 0.0).worthwhile([(15, 0.9)], sequences=1, most=15) == [15]


def test_where_rows_are_all_that_costs_nothing_is_guessed() -> None:
    assert costs(0.0, 0.001).worthwhile([(15, 0.9)], sequences=1, most=15) == [0]


@pytest.mark.parametrize(("acceptance", "length"), [(0.95, 15), (0.9, 10), (0.7, 4), (0.1, 0)])
def test_the_length_is_the_one_with_the_most_tokens_per_second(acceptance: float, length: int) -> None:
    made = costs(0.010, 0.001)

    def speed(count: int) -> float:
        return sum(acceptance**place for place in range(count + 1)) / (0.011 + 0.001 * count)

    assert max(range(16), key=speed) == pytest.approx(length, abs=1)
    (chosen,) = made.worthwhile([(15, acceptance)], sequences=1, most=15)
    assert chosen == max(range(16), key=speed) or (chosen == 0 and speed(1) < 1.03 * speed(0))


def test_rows_go_to_those_whose_guesses_come_true() -> None:
    assert costs(0.01, 0.0).worthwhile([(8, 0.3), (8, 0.9)], sequences=2, most=6) == [0, 6]


def test_a_step_that_was_held_up_counts_little() -> None:
    made = costs(0.010, 0.001)
    made.note(6, 60.0)
    (chosen,) = made.worthwhile([(15, 0.9)], sequences=1, most=15)
    assert chosen > 5


def test_a_clock_that_stands_still_does_no_harm() -> None:
    assert costs(0.0, 0.0).worthwhile([(3, 0.9)], sequences=1, most=15) == [3]


def test_rows_between_those_that_were_seen_cost_something_between() -> None:
    made = StepCosts()
    made.note(1, 0.010)
    made.note(16, 0.160)
    assert made.worthwhile([(7, 0.9)], sequences=1, most=15) == [0]
