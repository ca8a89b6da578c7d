"""A short way from any point of a grammar to a complete text.

Found by trying: what ends something is preferred to what begins something, names that a schema requires to
others, and what a pattern describes to other text. That is the shortest way for most JSON, and a way that is
valid always, because each of its tokens is one that the grammar allows there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from llguidance import LLMatcher

MOST_STEPS = 2048
"""Bytes that are chosen and runs of those that must follow. What needs more to end is given up."""
MOST_FAIR_STEPS = 512
"""The same where everything is tried in turn, which takes longer."""
_MARKER = 0xFF
"""Where llguidance speaks of bytes, a token that stands for none of them begins with this one."""
_DIGITS, _REST = b"1234567890", b":.-{tfnZ" + bytes(range(33, 127)) + bytes(range(256))
_ORDERS = (b'}]",' + _DIGITS + _REST, b'"@}],' + _REST + _DIGITS)
"""Digits early for numbers; late for what goes on behind them, as a time does, or has brackets in it, as an
address may. A 0 after the others: there may be no end behind 0.0000. White space if nothing else is left."""
_BRACKETS_AND_QUOTE = b'}]"'
_QUOTE, _LINE_BREAK = b'"\n'


class Hints(NamedTuple):
    """What is tried before other things."""

    names: frozenset[bytes] = frozenset()
    """Where names begin."""
    texts: tuple[bytes, ...] = ()
    """To end a string with, as they stand in JSON."""


NO_HINTS = Hints()


class Endings:
    """Finds endings with the tokens of one vocabulary."""

    def __init__(self, token_bytes: Sequence[bytes], tokenize: Callable[[bytes], list[int]]) -> None:
        """`token_bytes`: those of each token. `tokenize`: bytes in the fewest tokens."""
        alone = {octets[0]: token for token, octets in enumerate(token_bytes) if len(octets) == 1}
        self._token_of_byte = alone
        self._orders = [[byte for byte in dict.fromkeys(one) if byte in alone] for one in _ORDERS]
        self.token_bytes = token_bytes
        self.tokenize = tokenize

    def find(self, matcher: LLMatcher, hints: Hints = NO_HINTS) -> list[int] | None:
        """Tokens after which the text is complete; none if it is already. None: no way was found. The matcher
        is left as it was."""
        for order in self._orders:
            path = self._walk(matcher.deep_copy(), order, hints, MOST_STEPS)
            if path is not None:
                return self._in_fewer_tokens(matcher, path)
        # They went round in circles. What was tried less often comes first: in the end everything is tried.
        path = self._walk(matcher.deep_copy(), self._orders[0], hints, MOST_FAIR_STEPS, fair=True)
        return None if path is None else self._in_fewer_tokens(matcher, _shortened(matcher, path))

    def _walk(
        self,
        matcher: LLMatcher,
        order: Sequence[int],
        hints: Hints,
        most: int,
        fair: bool = False,
    ) -> list[int] | None:
        path: list[int] = []
        tried: Counter[int] = Counter()
        text = b""
        for _ in range(most):
            if matcher.is_accepting():
                return path
            step = self._forced(matcher) or self._rest_of_string(matcher, hints.texts)
            if not step:
                if fair:
                    octet = self._first(matcher, sorted(order, key=tried.__getitem__))
                else:
                    octet = self._best(matcher, order, _names(hints.names, text))
                if octet is None:
                    return None
                tried[octet] += 1
                step = [self._token_of_byte[octet]]
            if not matcher.consume_tokens(step):
                return None
            path += step
            text += b"".join(map(self.token_bytes.__getitem__, step))
        return None

    def _forced(self, matcher: LLMatcher) -> list[int]:
        """What must come next, byte by byte: to put it into tokens here would take most of the time."""
        octets = matcher.compute_ff_bytes()
        if _MARKER in octets or not self._token_of_byte.keys() >= set(octets):
            return matcher.compute_ff_tokens()
        return [self._token_of_byte[octet] for octet in octets]

    def _rest_of_string(self, matcher: LLMatcher, texts: Collection[bytes]) -> list[int]:
        """The first of these texts that may end the string here, if the string may not end yet."""
        # No string has a line break as it is, while nearly everywhere else there may be one.
        if texts and not any(self._allows(matcher, octet) for octet in (_QUOTE, _LINE_BREAK)):
            for text in texts:
                rest = [self._token_of_byte[octet] for octet in (*text, _QUOTE)]
                if matcher.validate_tokens(rest) == len(rest):
                    return rest
        return []

    def _best(self, matcher: LLMatcher, order: Sequence[int], hinted: Sequence[int]) -> int | None:
        if all(self._allows(matcher, octet) for octet in _BRACKETS_AND_QUOTE):
            return _QUOTE  # in a string: nothing else lets both brackets pass
        return self._first(matcher, (*hinted, *order))

    def _first(self, matcher: LLMatcher, order: Sequence[int]) -> int | None:
        """The first byte of these that may come next; None if none of them may."""
        return next((octet for octet in order if self._allows(matcher, octet)), None)

    def _allows(self, matcher: LLMatcher, octet: int) -> bool:
        # A hundredth of what the mask of all tokens costs.
        return bool(matcher.validate_tokens([self._token_of_byte[octet]]))

    def _in_fewer_tokens(self, matcher: LLMatcher, path: list[int]) -> list[int]:
        """The same bytes in the tokens of the tokenizer, if the grammar lets them pass."""
        octets = b"".join(self.token_bytes[token] for token in path)
        fewer = self.tokenize(octets)
        if len(fewer) < len(path) and completes(matcher, fewer):
            return fewer
        return path


def _names(names: Collection[bytes], text: bytes) -> list[int]:
    """The bytes with which one of the names goes on, if a name has begun at the end of a JSON text."""
    before, quote, said = text.rpartition(b'"')
    if not quote or before.rstrip()[-1:] not in (b"{", b","):
        return []
    return sorted({name[len(said)] for name in names if name.startswith(said) and len(name) > len(said)})


def completes(matcher: LLMatcher, path: list[int]) -> bool:
    """Whether the text is complete after these tokens."""
    if matcher.validate_tokens(path) < len(path):
        return False
    after = matcher.deep_copy()
    return after.consume_tokens(path) and after.is_accepting()


def _shortened(matcher: LLMatcher, path: list[int]) -> list[int]:
    """Without the pieces that are not needed: long ones are tried first."""
    size = len(path) // 2
    while size:
        start = 0
        while start + size <= len(path):
            without = path[:start] + path[start + size :]
            if completes(matcher, without):
                path = without
            else:
                start += size
        size //= 2
    return path
