"""Keeps one completion to its grammar: which tokens may come next, which must, and that it ends in time.

Where only one continuation is possible, its tokens follow without being computed one by one. When no more
tokens are left than the way to a complete text needs, it is taken. All of this follows from the tokens so far
and from how many may still come, so it is the same in any batch and after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llguidance import LLMatcher
from numpy.typing import NDArray

from wending.engine.grammar.ending import completes
from wending.engine.grammar.errors import GrammarBroken
from wending.engine.grammar.grammar import Grammar, Grammars

WHITE_SPACE = b" \t\r\n"
MARGIN = 1.25
"""The way that is found may be so many times as long as the shortest."""


class Guide:
    """Where a completion stands in its grammar."""

    def __init__(self, grammar: Grammar, grammars: Grammars, left: int) -> None:
        """`grammars` has compiled `grammar`. `left`: the most tokens that the completion may have; not fewer
        than `grammar.ending` has."""
        self._grammar = grammar
        self._endings = grammars.endings
        self._matcher: LLMatcher = grammar.start.deep_copy()
        self._left = left
        self._ending: list[int] | None = list(grammar.ending)
        """The way to a complete text; None: it has not been looked for since the last token."""
        self._longest_ending = len(grammar.ending)
        """It has no more tokens than this."""
        self._place: Any = None if grammar.growth is None else grammar.growth.begin
        self._json = grammar.json
        self._json_limit = grammars.json_limit
        self.complete = False
        """Whether the text is whole and nothing more can follow."""
        self.cut = False
        """Whether what would have followed a whole text had no room."""

    def fill(self, allowed: NDArray[np.uint32]) -> None:
        """Set the bits of the tokens that may come next: uint32 [ceil(vocab_size / 32)], bit i % 32 of word
        i // 32 for token i. Raises GrammarBroken."""
        self._matcher.unsafe_compute_mask_ptr(allowed.ctypes.data, allowed.nbytes)
        self._check(self._matcher)
        if self._json is not None:
            self._json_limit.narrow(self._json, allowed)

    def num_allowed(self, token_ids: list[int]) -> int:
        """How many of these tokens, one after the other, may come next. Changes nothing."""
        # A copy, since what is asked for here must not count towards llguidance's limits.
        return int(self._matcher.deep_copy().validate_tokens(token_ids))

    def take(self, token_id: int) -> list[int]:
        """A token was chosen: it, or the one that takes its place, and those that follow by necessity.

        Another one takes its place if behind it no complete text could be reached any more with the tokens
        that are left; none does if the text is complete already. Raises GrammarBroken.
        """
        after = self._matcher
        taken = self._follow(after, token_id)
        if not self._has_time(taken):
            self._matcher = self._before(after, taken)
            if not self._leads_to_end(after, taken) and (way := self._way()) is not None:
                if not way:
                    self.complete = self.cut = True
                    return []
                after = self._matcher.deep_copy()
                taken = self._follow(after, way[0])
                if not self._has_time(taken) and not self._leads_to_end(after, taken):
                    self._ending = None
        self._matcher = after
        self._left -= len(taken)
        if self._json is not None:
            self._json = self._json_limit.after(self._json, taken)
        self.complete = after.is_stopped()
        return taken

    def replay(self, token_ids: Sequence[int]) -> None:
        """Put it in the state in which it had said these tokens. Raises GrammarBroken if it could not."""
        place = 0
        while place < len(token_ids):
            taken = self.take(token_ids[place])
            if taken != list(token_ids[place : place + len(taken)]):
                raise GrammarBroken(f"token {place} of {len(token_ids)} is none that the grammar leads to")
            place += len(taken)

    def _follow(self, matcher: LLMatcher, token_id: int) -> list[int]:
        """Move a matcher over a token and what must follow; returns these tokens."""
        matcher.consume_token(token_id)
        self._check(matcher)
        if matcher.is_stopped():
            return [token_id]
        forced: list[int] = matcher.compute_ff_tokens()
        matcher.consume_tokens(forced)
        self._check(matcher)
        return [token_id, *forced]

    def _before(self, after: LLMatcher, taken: list[int]) -> LLMatcher:
        """A matcher where this one was before `taken`. A copy that is made only when it is needed: made of
        every token it would take as long as all the rest."""
        matcher = after.deep_copy()
        matcher.rollback(len(taken))
        self._check(matcher)
        return matcher

    def _has_time(self, taken: list[int]) -> bool:
        """Whether there is time enough behind `taken` whatever they are. If so it remembers that, if not
        nothing."""
        growth = self._grammar.growth
        if growth is None:
            return False
        place, more = growth.over(self._place, self._octets(taken))
        longest = self._longest_ending + more
        if self._left - len(taken) < MARGIN * longest:
            return False
        self._ending, self._longest_ending, self._place = None, longest, place
        return True

    def _leads_to_end(self, after: LLMatcher, taken: list[int]) -> bool:
        """Whether a complete text can be reached behind `taken`.

        If so it remembers how. If not it remembers nothing: so what comes next depends on the tokens that
        were taken, and on none that was refused.
        """
        left = self._left - len(taken)
        ending = self._ending_behind(after, taken, left)
        if ending is None or len(ending) > left:
            return False
        self._ending, self._longest_ending = ending, len(ending)
        growth = self._grammar.growth
        if growth is not None:
            self._place = growth.over(self._place, self._octets(taken))[0]
            self._longest_ending += growth.pending(self._place)
        return True

    def _way(self) -> list[int] | None:
        """From here to a complete text."""
        if self._ending is not None:
            return self._ending
        return self._endings.find(self._matcher, self._grammar.hints)

    def _ending_behind(self, after: LLMatcher, taken: list[int], left: int) -> list[int] | None:
        """What was the way before may still be it, or what it goes on with; else it is looked for, and looked
        for first where the way before is not known."""
        found = None if self._ending is not None else self._endings.find(after, self._grammar.hints)
        if found is not None and len(found) <= left:
            return found
        known = self._way() or []
        said = self._octets(taken)
        if known[: len(taken)] == taken:
            ways = [known[len(taken) :]]
        else:
            rest = self._octets(known)
            bare = said.translate(None, WHITE_SPACE)
            ways = [self._endings.tokenize(rest[len(one) :]) for one in (said, bare) if rest.startswith(one)]
            ways.append(known)
        for way in ways:
            if len(way) <= left and completes(after, way):
                return way
        return found if self._ending is None else self._endings.find(after, self._grammar.hints)

    def _octets(self, token_ids: list[int]) -> bytes:
        return b"".join(map(self._endings.token_bytes.__getitem__, token_ids))

    @staticmethod
    def _check(matcher: LLMatcher) -> None:
        if matcher.is_error():
            raise GrammarBroken(" ".join(matcher.get_error().split())[:300])
