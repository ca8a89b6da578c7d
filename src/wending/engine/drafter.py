"""Guesses the next tokens of a sequence from its own text, and learns how well it guesses.

Prompt lookup (A. Saxena, https://github.com/apoorvumang/prompt-lookup-decoding, 2023): where the last few
tokens have occurred before, what followed there may follow here. The model then computes the guesses in the
same step as the newest token and keeps those that it would have chosen itself, so a wrong guess costs time
and never changes a token. Knows nothing of blocks, logits or times.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

LONGEST_GUESS = 15
MATCHED_TOKENS = (5, 3, 2, 1)
"""How many of the last tokens are looked for, the most telling first."""
FIRST_ACCEPTANCE = (0.8, 0.6, 0.4, 0.2)
"""How often a guess is believed to come true before anything was seen, for each of these."""
SMOOTHING = 0.15
LONGEST_PAUSE = 32


class Guess(NamedTuple):
    """Tokens that may follow."""

    token_ids: array[int]
    acceptance: float
    """The share of tokens that came true lately, of those whose predecessors had."""
    kind: int
    """Which of MATCHED_TOKENS was found."""


class Drafter:
    """The guesses for one sequence."""

    __slots__ = ("_acceptance", "_kind", "_next_pause", "_pause")

    def __init__(self) -> None:
        self._acceptance = list(FIRST_ACCEPTANCE)
        self._kind = 0  # of the guess that is being tried
        self._pause = 0  # steps to let pass without a guess
        self._next_pause = 1

    def guess(self, token_ids: array[int], most: int) -> Guess | None:
        """At most `most` tokens that may follow; None where nothing is to be guessed."""
        if self._pause:
            self._pause -= 1
            return None
        text = token_ids.tobytes()
        for kind, matched in enumerate(MATCHED_TOKENS):
            following = _following(text, token_ids.itemsize, matched)
            if following is not None:
                guessed = token_ids[following : following + min(most, LONGEST_GUESS)]
                return Guess(guessed, self._acceptance[kind], kind)
        return None

    def use(self, guess: Guess, worthwhile: bool) -> None:
        """This guess is going to be tried. Where that does not pay, guesses become rare: they are tried every
        now and then all the same, because texts change."""
        self._kind = guess.kind
        if worthwhile:
            self._next_pause = 1
        else:
            self._pause = self._next_pause
            self._next_pause = min(2 * self._next_pause, LONGEST_PAUSE)

    def note(self, proposed: int, accepted: int) -> None:
        """Learn from a guess of which the first `accepted` tokens came true."""
        acceptance = self._acceptance[self._kind]
        kept = (1 - SMOOTHING) ** accepted
        acceptance = 1 - (1 - acceptance) * kept
        if accepted < proposed:
            acceptance *= 1 - SMOOTHING
        self._acceptance[self._kind] = acceptance


def _following(text: bytes, width: int, matched: int) -> int | None:
    """Index of the token behind the newest earlier occurrence of the last `matched` tokens.

    `text`: the tokens, `width` bytes each.
    """
    if len(text) <= matched * width:
        return None
    last = text[-matched * width :]
    end = len(text) - width  # an occurrence must be followed by a token
    while (found := text.rfind(last, 0, end)) >= 0:
        if found % width == 0:
            return found // width + matched
        end = found + len(last) - 1  # bytes of neighbouring tokens that look like it
    return None
