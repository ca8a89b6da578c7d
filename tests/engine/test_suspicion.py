"""Who is guilty: the rules alone, without processes."""

from __future__ import annotations

import random

import pytest

from wending.engine.suspicion import DEATHS_ALONE, Suspicion


def test_the_first_death_makes_suspects_and_convicts_nobody() -> None:
    suspicion = Suspicion()
    assert suspicion.note_death([1, 2, 3], is_proof=True) is None
    assert [suspicion.is_suspect(number) for number in range(5)] == [False, True, True, True, False]


def test_the_second_convicts_who_was_alone() -> None:
    suspicion = Suspicion()
    suspicion.note_death([1, 2], is_proof=True)
    assert suspicion.note_death([1], is_proof=True) == 1
    assert suspicion.deaths(1) == 2


def test_in_company_nobody_is_convicted() -> None:
    suspicion = Suspicion()
    assert [suspicion.note_death([1, 2], is_proof=True) for _ in range(10)] == [None] * 10


def test_alone_from_the_beginning_it_takes_two_as_well() -> None:
    suspicion = Suspicion()
    assert suspicion.note_death([1], is_proof=True) is None
    assert suspicion.note_death([1], is_proof=True) == 1


def test_a_token_clears() -> None:
    suspicion = Suspicion()
    suspicion.note_death([1, 2], is_proof=True)
    suspicion.clear(1)
    assert not suspicion.is_suspect(1)
    assert suspicion.note_death([1], is_proof=True) is None
    assert suspicion.deaths(1) == 1
    assert suspicion.deaths(3) == 0


def test_a_death_in_no_computation_accuses_nobody() -> None:
    assert Suspicion().note_death([], is_proof=True) is None


def test_deaths_from_outside_count_for_little() -> None:
    suspicion = Suspicion()
    suspicion.note_death([1, 2], is_proof=False)
    assert not suspicion.is_suspect(1)
    suspicion.note_death([1, 2], is_proof=False)
    assert suspicion.is_suspect(1)
    convicts = [suspicion.note_death([1], is_proof=False) for _ in range(DEATHS_ALONE)]
    assert convicts == [None] * (DEATHS_ALONE - 1) + [1]


def test_a_fault_after_a_kill_from_outside_is_only_the_first() -> None:
    suspicion = Suspicion()
    suspicion.note_death([1], is_proof=False)
    assert suspicion.note_death([1], is_proof=True) is None
    assert suspicion.note_death([1], is_proof=True) == 1


@pytest.mark.parametrize("seed", range(20))
def test_one_guilty_among_many_is_found_and_no_other(seed: int) -> None:
    """Plays the client: suspects are computed alone, a token clears, the guilty one always kills.

    Somebody kills from outside now and then, but never so often in a row.
    """
    numbers = random.Random(seed)
    suspicion = Suspicion()
    guilty, in_flight = numbers.randrange(30), set(range(30))
    kills_in_a_row = 0
    for _ in range(1000):
        suspects = [number for number in in_flight if suspicion.is_suspect(number)]
        step = suspects[:1] or numbers.sample(sorted(in_flight), 8)
        if numbers.random() < 0.3 and kills_in_a_row < DEATHS_ALONE - 1:
            kills_in_a_row += 1
            convict = suspicion.note_death(step, is_proof=False)
        elif guilty in step:
            convict = suspicion.note_death(step, is_proof=True)
        else:
            kills_in_a_row = 0
            convict = None
            for number in step:
                suspicion.clear(number)
        if convict is not None:
            assert convict == guilty
            return
    raise AssertionError("the guilty one was not found")


def test_tokens_of_one_completion_between_kills_from_outside_clear_the_request() -> None:
    """Of two completions that begin alike one has its tokens a step before the other."""
    suspicion = Suspicion()
    for _ in range(10):
        assert suspicion.note_death([1], is_proof=False) is None
        suspicion.note_token(1)
        assert not suspicion.is_suspect(1)


def test_tokens_of_one_completion_are_no_excuse_for_faults_of_another() -> None:
    suspicion = Suspicion()
    assert suspicion.note_death([1], is_proof=True) is None
    suspicion.note_token(1)
    assert suspicion.is_suspect(1)
    assert suspicion.note_death([1], is_proof=True) == 1
