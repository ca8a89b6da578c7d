from __future__ import annotations

import pytest

from wending.engine.step_costs import StepCosts


def test_nothing_is_worthwhile_before_a_plain_step_was_seen() -> None:
    costs = StepCosts()
    assert not costs.worthwhile(1, 1.0)
    costs.note(1, 0, 0.02)
    assert costs.worthwhile(1, 0.1)
    assert not costs.worthwhile(2, 1.0)


@pytest.mark.parametrize(
    ("sequences", "acceptance", "worthwhile"),
    [(1, 0.2, True), (1, 0.05, False), (8, 0.5, False), (8, 0.9, True)],
)
def test_a_row_must_save_more_than_it_takes(sequences: int, acceptance: float, worthwhile: bool) -> None:
    """A guessed row takes 1 ms more: of one stream 0.1, of eight 0.6 of the guesses must come true."""
    costs = StepCosts()
    plain_s = {1: 0.010, 8: 0.0133}[sequences]
    for _ in range(60):
        costs.note(sequences, 0, plain_s)
        costs.note(sequences, 4, plain_s + 4 * 0.001)
    assert costs.worthwhile(sequences, acceptance) is worthwhile


def test_a_guess_that_was_faster_than_no_guess_costs_nothing() -> None:
    costs = StepCosts()
    costs.note(1, 0, 0.01)
    costs.note(1, 3, 0.005)
    assert costs.worthwhile(1, 0.001)
