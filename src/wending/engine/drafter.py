"""Guesses the next tokens of a sequence from its own text, and learns how well it guesses.

Prompt lookup (A. Saxena, https://github.com/apoorvumang/prompt-lookup-decoding, 2023): where the last few
tokens have occurred before, what followed there may follow here. The model then computes the guesses in the
same step as the newest token and keeps those that it would have chosen itself, so a wrong guess costs time
and never changes a token. Knows nothing of blocks or logits.
"""

from __future__ import annotations

from array import array

MATCHED_TOKENS = 3
FIRST_LENGTH = 4
LONGEST_DRAFT = 15
LONGEST_PAUSE = 64


class Drafter:
    """The guesses for one sequence."""

    __slots__ = ("_acceptance", "_length", "_next_pause", "_pause")

    def __init__(self) -> None:
        self._length = FIRST_LENGTH
        self._pause = 0  # steps to let pass without a guess
        self._next_pause = 1
        self._acceptance = 0.5

    @property
    def acceptance(self) -> float:
        """The share of guessed tokens that came true lately."""
        return self._acceptance

    def propose(self, token_ids: array[int], most: int, worthwhile: bool) -> array[int]:
        """At most `most` tokens that may follow; empty where nothing is to be guessed.

        `worthwhile`: whether guesses that come true as often as lately pay for their time. Where they do not,
        one is tried every now and then, because texts change.
        """
        if self._pause:
            self._pause -= 1
            return array("i")
        draft = _continuation(token_ids, min(self._length if worthwhile else 1, most))
        if draft and not worthwhile:
            self._wait()
        return draft

    def note(self, proposed: int, accepted: int) -> None:
        """Learn from a draft of which so many tokens came true."""
        self._acceptance += 0.25 * (accepted / proposed - self._acceptance)
        if accepted == proposed:
            self._length = min(2 * self._length, LONGEST_DRAFT)
            self._next_pause = 1
        elif accepted:
            self._length = accepted + 1
            self._next_pause = 1
        else:
            self._length = max(1, self._length // 2)
            self._wait()

    def _wait(self) -> None:
        self._pause = self._next_pause
        self._next_pause = min(2 * self._next_pause, LONGEST_PAUSE)


def _continuation(token_ids: array[int], most: int) -> array[int]:
    """What followed the newest earlier occurrence of the last tokens: at most `most` tokens."""
    width = token_ids.itemsize
    if most < 1 or len(token_ids) <= MATCHED_TOKENS:
        return array("i")
    text = token_ids.tobytes()
    last = text[-MATCHED_TOKENS * width :]
    end = len(text) - width  # an occurrence must be followed by a token
    while (found := text.rfind(last, 0, end)) >= 0:
        if found % width == 0:
            following = found // width + MATCHED_TOKENS
            return token_ids[following : following + most]
        end = found + len(last) - 1
    return array("i")
