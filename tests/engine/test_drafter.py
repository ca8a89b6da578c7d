from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from wending.engine.drafter import FIRST_LENGTH, LONGEST_DRAFT, LONGEST_PAUSE, MATCHED_TOKENS, Drafter


def propose(token_ids: list[int], most: int = LONGEST_DRAFT, drafter: Drafter | None = None) -> list[int]:
    return list((drafter or Drafter()).propose(array("i", token_ids), most, worthwhile=True))


def test_proposes_what_followed_the_same_tokens_before() -> None:
    assert propose([9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3]) == [4, 5, 6, 7]


def test_the_newest_occurrence_counts() -> None:
    assert propose([1, 2, 3, 4, 0, 1, 2, 3, 5, 0, 1, 2, 3]) == [5, 0, 1, 2]


def test_proposes_nothing_for_what_is_new_and_for_short_texts() -> None:
    assert propose([1, 2, 3, 4, 5]) == []
    assert propose([1, 1, 1]) == []
    assert propose([]) == []


def test_one_token_again_and_again() -> None:
    assert propose([7] * 9) == [7]


def test_never_more_than_asked_for() -> None:
    assert propose([1, 2, 3, 4, 5, 6, 1, 2, 3], most=2) == [4, 5]
    assert propose([1, 2, 3, 4, 5, 6, 1, 2, 3], most=0) == []


def test_bytes_that_only_look_like_tokens_are_no_match() -> None:
    shifted = [0x01000000, 0x02000000, 0x03000000, 0x04000000]  # the bytes of 1, 2, 3 at another place
    assert propose([*shifted, 9, 1, 2, 3]) == []


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 8))
def test_equals_a_plain_search(token_ids: list[int], most: int) -> None:
    expected: list[int] = []
    last = token_ids[-MATCHED_TOKENS:]
    for start in range(len(token_ids) - MATCHED_TOKENS - 1, -1, -1):
        if len(last) == MATCHED_TOKENS and token_ids[start : start + MATCHED_TOKENS] == last:
            expected = token_ids[start + MATCHED_TOKENS :][: min(most, FIRST_LENGTH)]
            break
    assert propose(token_ids, most) == expected


REPEATED = list(range(40)) * 2


def test_guesses_that_come_true_get_longer() -> None:
    drafter = Drafter()
    lengths = []
    for _ in range(4):
        lengths.append(len(propose(REPEATED, drafter=drafter)))
        drafter.note(lengths[-1], lengths[-1])
    assert lengths == [4, 8, 15, 15]
    assert drafter.acceptance > 0.8


def test_a_guess_that_comes_true_in_part_is_shortened_to_that() -> None:
    drafter = Drafter()
    drafter.note(4, 1)
    assert len(propose(REPEATED, drafter=drafter)) == 2


def test_guesses_that_do_not_come_true_become_rare() -> None:
    drafter = Drafter()
    tries = 0
    for _ in range(1000):
        if propose(REPEATED, drafter=drafter):
            tries += 1
            drafter.note(4, 0)
    assert tries < 7 + 1000 / LONGEST_PAUSE
    assert drafter.acceptance < 0.05
    drafter.note(1, 1)
    drafter.note(1, 0)
    assert propose(REPEATED, drafter=drafter) == []
    assert len(propose(REPEATED, drafter=drafter)) == 1


def test_guesses_that_do_not_pay_are_short_and_rare() -> None:
    drafter = Drafter()
    lengths = [len(drafter.propose(array("i", REPEATED), 15, worthwhile=False)) for _ in range(100)]
    assert set(lengths) == {0, 1}
    assert sum(lengths) < 9
