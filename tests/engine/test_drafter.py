from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wending.engine.drafter import LONGEST_GUESS, LONGEST_INTERVAL, MATCHED_TOKENS, Drafter


def guess(token_ids: list[int], most: int = LONGEST_GUESS, drafter: Drafter | None = None) -> list[int]:
    guessed = (drafter or Drafter()).guess(array("i", token_ids), most)
    return [] if guessed is None else list(guessed.token_ids)


def test_guesses_what_followed_the_same_tokens_before() -> None:
    assert guess([9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3], most=4) == [4, 5, 6, 7]


def test_the_newest_occurrence_counts() -> None:
    assert guess([1, 2, 3, 4, 0, 1, 2, 3, 5, 0, 1, 2, 3], most=4) == [5, 0, 1, 2]


def test_more_tokens_in_common_tell_more_than_a_newer_occurrence() -> None:
    text = [1, 2, 3, 4, 5, 77, 0, 5, 88, 1, 2, 3, 4, 5]
    assert guess(text, most=1) == [77]
    assert guess([0, *text[5:]], most=1) == [88]


def test_guesses_nothing_for_what_is_new_and_for_short_texts() -> None:
    assert guess([1, 2, 3, 4, 5]) == []
    assert guess([1]) == []
    assert guess([]) == []


def test_one_token_again_and_again() -> None:
    assert guess([7] * 9) == [7]


def test_never_more_than_asked_for_or_than_the_longest() -> None:
    assert guess([1, 2, 3, 4, 5, 6, 1, 2, 3], most=2) == [4, 5]
    assert len(guess(list(range(40)) * 2, most=99)) == LONGEST_GUESS


def test_what_is_not_allowed_is_not_guessed() -> None:
    drafter = Drafter()
    drafter.num_allowed = lambda token_ids: token_ids.index(6)
    assert guess([1, 2, 3, 4, 5, 6, 7, 1, 2, 3], drafter=drafter) == [4, 5]
    assert drafter.guess(array("i", [1, 2, 3, 6, 7, 1, 2, 3]), 4) is None


def test_bytes_that_only_look_like_tokens_are_no_match() -> None:
    shifted = [0x01000000, 0x02000000, 0x03000000, 0x04000000]  # the bytes of 1, 2, 3 at another place
    assert guess([*shifted, 9, 1, 2, 3]) == []


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 8))
def test_equals_a_plain_search(token_ids: list[int], most: int) -> None:
    def searched() -> list[int]:
        for matched in MATCHED_TOKENS:
            for start in range(len(token_ids) - matched - 1, -1, -1):
                if token_ids[start : start + matched] == token_ids[-matched:]:
                    return token_ids[start + matched :][:most]
        return []

    assert guess(token_ids, most) == searched()


REPEATED = array("i", list(range(40)) * 2)


def tried(drafter: Drafter, proposed: int, accepted: int, worthwhile: bool = True) -> None:
    guessed = drafter.guess(REPEATED, LONGEST_GUESS)
    assert guessed is not None
    drafter.use(guessed, worthwhile)
    drafter.note(proposed, accepted)


def acceptance(drafter: Drafter) -> float:
    guessed = drafter.guess(REPEATED, LONGEST_GUESS)
    assert guessed is not None
    return guessed.acceptance


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 1.0])
def test_learns_how_often_its_guesses_come_true(share: float) -> None:
    drafter = Drafter()
    for number in range(400):
        tried(drafter, 1, int((number * share) % 1 + share >= 1))
    assert acceptance(drafter) == pytest.approx(share, abs=0.15)


def test_tokens_behind_a_wrong_one_say_nothing() -> None:
    short, long = Drafter(), Drafter()
    tried(short, 2, 1)
    tried(long, 9, 1)
    assert acceptance(short) == acceptance(long)


def guessing_turns(drafter: Drafter, turns: Iterable[int], worthwhile: bool) -> list[int]:
    """Those of the turns at which there was a guess."""
    found = []
    for turn in turns:
        guessed = drafter.guess(REPEATED, LONGEST_GUESS, turn)
        if guessed is not None:
            drafter.use(guessed, worthwhile)
            found.append(turn)
    return found


def test_guesses_that_do_not_pay_become_rare_and_are_tried_all_the_same() -> None:
    when = guessing_turns(Drafter(), range(1, 400), worthwhile=False)
    assert when[:4] == [1, 4, 16, 64]
    assert {later - earlier for earlier, later in itertools.pairwise(when[3:])} == {LONGEST_INTERVAL}


def test_rare_guesses_of_all_sequences_come_in_the_same_steps() -> None:
    early, late = Drafter(), Drafter()
    when = guessing_turns(early, range(400), worthwhile=False)
    assert guessing_turns(late, range(137, 400), worthwhile=False)[-2:] == when[-2:]


def test_one_guess_that_pays_and_they_are_frequent_again() -> None:
    drafter = Drafter()
    guessing_turns(drafter, range(1, 257), worthwhile=False)
    assert guessing_turns(drafter, range(257, 400), worthwhile=True) == list(range(320, 400))
