from __future__ import annotations

import pytest

from wending.engine.pacer import FEWEST_TOKENS, FIRST_ALONE, FIRST_BESIDE_DECODES, Pacer


def settle(pacer: Pacer, beside: bool, base_s: float, token_s: float, steps: int = 30) -> list[float]:
    """Seconds of steps that take `base_s` and so much for each prompt token."""
    seconds = []
    for _ in range(steps):
        tokens = pacer.budget(beside)
        seconds.append(base_s + tokens * token_s)
        pacer.note(beside, tokens, seconds[-1])
    return seconds


def test_without_a_limit_steps_are_as_large_as_they_may_be() -> None:
    pacer = Pacer(512)
    pacer.note(True, 512, 100.0)
    assert (pacer.budget(True), pacer.budget(False)) == (512, 512)


def test_starts_small() -> None:
    pacer = Pacer(512, gap_s=0.25, step_s=1.0)
    assert (pacer.budget(True), pacer.budget(False)) == (FIRST_BESIDE_DECODES, FIRST_ALONE)


@pytest.mark.parametrize("token_s", [0.0005, 0.001, 0.004])
def test_steps_come_to_take_what_they_may(token_s: float) -> None:
    pacer = Pacer(512, gap_s=0.25, step_s=1.0)
    seconds = settle(pacer, True, base_s=0.02, token_s=token_s)
    assert max(seconds) < 0.26
    assert seconds[-1] == pytest.approx(0.25, abs=0.02)


def test_a_fast_machine_is_limited_by_the_budget_alone() -> None:
    pacer = Pacer(512, gap_s=0.25, step_s=1.0)
    settle(pacer, False, base_s=0.01, token_s=0.0001)
    assert pacer.budget(False) == 512


def test_prompts_go_on_however_slow_decoding_is() -> None:
    pacer = Pacer(512, gap_s=0.25)
    settle(pacer, True, base_s=3.0, token_s=0.01)
    assert pacer.budget(True) == FEWEST_TOKENS


def test_the_end_of_a_prompt_says_nothing() -> None:
    pacer = Pacer(512, gap_s=0.25)
    pacer.note(True, 3, 0.2)
    assert pacer.budget(True) == FIRST_BESIDE_DECODES


def test_the_longer_context_of_later_chunks_makes_them_smaller() -> None:
    pacer = Pacer(512, gap_s=0.25)
    settle(pacer, True, base_s=0.01, token_s=0.001)
    before = pacer.budget(True)
    settle(pacer, True, base_s=0.01, token_s=0.01)
    assert pacer.budget(True) < before / 5
