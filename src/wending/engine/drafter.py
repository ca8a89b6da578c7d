"""Guesses the next tokens of a sequence from its own text, and learns how well it guesses.

Prompt lookup (A. Saxena, https://github.com/apoorvumang/prompt-lookup-decoding, 2023): where the last few
tokens have occurred before, what followed there may follow here. The model then computes the guesses in the
same step as the newest token and keeps those that it would have chosen itself, so a wrong guess costs time
and never changes a token. Knows nothing of blocks, logits or times.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import NamedTuple

LONGEST_GUESS = 15
MATCHED_TOKENS = (5, 3, 2, 1)
"""How many of the last tokens are looked for, the most telling first."""
FIRST_ACCEPTANCE = (0.8, 0.6, 0.4, 0.2)
"""How often a guess is believed to come true before anything was seen, for each of these."""
SMOOTHING = 0.15
LONGEST_INTERVAL = 64  # a power of four, as all intervals are


class Guess(NamedTuple):
    """Tokens that may follow."""

    token_ids: array[int]
    acceptance: float
    """The share of tokens that came true lately, of those whose predecessors had."""
    kind: int
    """Which of MATCHED_TOKENS was found."""


class Drafter:
    """The guesses for one sequence."""

    __slots__ = ("_acceptance", "_interval", "_kind", "num_allowed")

    def __init__(self) -> None:
        self.num_allowed: Callable[[list[int]], int] | None = None
        """Tells how many of some tokens, from the first on, may follow at all. None: all of any."""
        self._acceptance = list(FIRST_ACCEPTANCE)
        self._kind = 0  # of the guess that is being tried
        self._interval = 1  # of steps between guesses

    def guess(self, token_ids: array[int], most: int, turn: int = 0) -> Guess | None:
        """At most `most` tokens that may follow; None where nothing is to be guessed.

        `turn`: a count of steps that all sequences share. Those whose guesses are rare have them in the same
        steps, which costs less than a few more rows in every step.
        """
        if turn % self._interval:
            return None
        found = _last_occurrence(token_ids)
        if found is None:
            return None
        kind, following = found
        guessed = token_ids[following : following + min(most, LONGEST_GUESS)]
        if self.num_allowed is not None:
            del guessed[self.num_allowed(guessed.tolist()) :]
            if not guessed:
                return None
        return Guess(guessed, self._acceptance[kind], kind)

    def use(self, guess: Guess, worthwhile: bool) -> None:
        """This guess is going to be tried. Where that does not pay, guesses become rare: they are tried every
        now and then all the same, because texts change."""
        self._kind = guess.kind
        self._interval = 1 if worthwhile else min(4 * self._interval, LONGEST_INTERVAL)

    def note(self, proposed: int, accepted: int) -> None:
        """Learn from a guess of which the first `accepted` tokens came true."""
        acceptance = self._acceptance[self._kind]
        kept = (1 - SMOOTHING) ** accepted
        acceptance = 1 - (1 - acceptance) * kept
        if accepted < proposed:
            acceptance *= 1 - SMOOTHING
        self._acceptance[self._kind] = acceptance


def _last_occurrence(token_ids: array[int]) -> tuple[int, int] | None:
    """The most tokens of MATCHED_TOKENS at the end of a text that occurred before: which of them, and the
    index of the token behind their newest earlier occurrence."""
    text, width = token_ids.tobytes(), token_ids.itemsize
    found = None
    end = len(text) - width  # an occurrence must be followed by a token
    for kind, matched in reversed(tuple(enumerate(MATCHED_TOKENS))):
        # What more tokens have in common is no newer than what fewer have: each search goes on from there.
        start = _rfind_aligned(text, text[-matched * width :], width, end)
        if start < 0:
            break
        end = start + matched * width
        found = kind, end // width
    return found


def _rfind_aligned(text: bytes, last: bytes, width: int, end: int) -> int:
    """The last place before `end` where `last` stands in a text of tokens of `width` bytes each; -1: none."""
    while (found := text.rfind(last, 0, end)) >= 0 and found % width:
        end = found + len(last) - 1  # bytes of neighbouring tokens that look like it
    return found
