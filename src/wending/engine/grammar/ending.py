"""A short way from any point of a grammar to a complete text.

Found by trying: what ends something is preferred to what begins something, and names that a schema requires
to others. That is the shortest way for most JSON, and a way that is valid always, because each of its tokens
is one that the grammar allows there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from llguidance import LLMatcher
from numpy.typing import NDArray

LONGEST = 2048
"""Tokens. What needs more to end is given up."""
LONGEST_FAIR = 512
"""The same where everything is tried in turn, which takes longer."""
_DIGITS, _REST = b"1234567890", b":.-{tfnZ" + bytes(range(33, 127)) + bytes(range(256))
_ORDERS = (b'}]",' + _DIGITS + _REST, b'"@}],' + _REST + _DIGITS)
"""Digits early for numbers; late for what goes on behind them, as a time does, or has brackets in it, as an
address may. A 0 after the others: there may be no end behind 0.0000. White space if nothing else is left."""


class Endings:
    """Finds endings with the tokens of one vocabulary."""

    def __init__(self, token_bytes: Sequence[bytes], tokenize: Callable[[bytes], list[int]]) -> None:
        """`token_bytes`: those of each token. `tokenize`: bytes in the fewest tokens."""
        alone = {octets[0]: token for token, octets in enumerate(token_bytes) if len(octets) == 1}
        self._orders = [
            _Order([byte for byte in dict.fromkeys(one) if byte in alone], alone) for one in _ORDERS
        ]
        self.token_bytes = token_bytes
        self.tokenize = tokenize

    def find(self, matcher: LLMatcher, hints: Collection[bytes] = ()) -> list[int] | None:
        """Tokens after which the text is complete; none if it is already. None: no way was found.

        `hints`: names to be preferred where names begin. The matcher is left as it was.
        """
        for order in self._orders:
            path = self._walk(matcher.deep_copy(), order, hints, LONGEST)
            if path is not None:
                return self._in_fewer_tokens(matcher, path)
        # They went round in circles. What was tried less often comes first: in the end everything is tried.
        path = self._walk(matcher.deep_copy(), self._orders[0], (), LONGEST_FAIR, fair=True)
        return None if path is None else self._in_fewer_tokens(matcher, _shortened(matcher, path))

    def _walk(
        self,
        matcher: LLMatcher,
        order: _Order,
        hints: Collection[bytes],
        most: int,
        fair: bool = False,
    ) -> list[int] | None:
        path: list[int] = []
        tried: Counter[int] = Counter()
        text = b""
        while not matcher.is_accepting():
            forced = matcher.compute_ff_tokens() or [
                _choose(order.allowed(matcher), order, _names(hints, text), tried if fair else None)
            ]
            if len(path) + len(forced) > most or forced[0] < 0 or not matcher.consume_tokens(forced):
                return None
            path += forced
            tried.update(forced)
            text += b"".join(self.token_bytes[token] for token in forced)
        return path

    def _in_fewer_tokens(self, matcher: LLMatcher, path: list[int]) -> list[int]:
        """The same bytes in the tokens of the tokenizer, if the grammar lets them pass."""
        octets = b"".join(self.token_bytes[token] for token in path)
        fewer = self.tokenize(octets)
        if len(fewer) < len(path) and completes(matcher, fewer):
            return fewer
        return path


class _Order:
    """Bytes in order of preference, and the tokens that stand for each of them alone."""

    def __init__(self, octets: Sequence[int], token_of_byte: Mapping[int, int]) -> None:
        self.octets = list(octets)
        self.tokens = [token_of_byte[octet] for octet in octets]
        self._words = np.array([token >> 3 for token in self.tokens])
        self._bits = np.array([1 << (token & 7) for token in self.tokens], np.uint8)
        self.brackets_and_quote = [self.octets.index(octet) for octet in b'}]"']

    def allowed(self, matcher: LLMatcher) -> NDArray[np.bool_]:
        """Which of them may come next: bool [number of bytes]."""
        mask = np.frombuffer(matcher.compute_bitmask(), np.uint8)
        return np.asarray(mask[self._words] & self._bits, np.bool_)


def _choose(
    allowed: NDArray[np.bool_], order: _Order, hinted: Collection[int], tried: Counter[int] | None
) -> int:
    """The best token; -1 if there is none."""
    if tried is not None:
        places = np.flatnonzero(allowed).tolist()
        return min((order.tokens[place] for place in places), key=lambda token: tried[token], default=-1)
    if allowed[order.brackets_and_quote].all():
        return order.tokens[order.brackets_and_quote[2]]  # in a string: nothing else lets both brackets pass
    for octet in hinted:
        place = order.octets.index(octet)
        if allowed[place]:
            return order.tokens[place]
    best = int(allowed.argmax())
    return order.tokens[best] if allowed[best] else -1


def _names(hints: Collection[bytes], text: bytes) -> list[int]:
    """The bytes with which one of the hints goes on, if a name has begun at the end of a JSON text."""
    before, quote, said = text.rpartition(b'"')
    if not quote or before.rstrip()[-1:] not in (b"{", b","):
        return []
    return sorted({hint[len(said)] for hint in hints if hint.startswith(said) and len(hint) > len(said)})


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
