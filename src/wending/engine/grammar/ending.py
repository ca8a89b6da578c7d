"""A short way from any point of a grammar to a complete text.

Found by trying: what ends something is preferred to what begins something, and names that a schema requires
to others. That is the shortest way for most JSON, and a way that is valid always, because each of its tokens
is one that the grammar allows there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from llguidance import LLMatcher

LONGEST = 2048
"""Tokens. What needs more to end is given up."""
LONGEST_FAIR = 512
"""The same where everything is tried in turn, which takes longer."""
_FIRST, _DIGITS, _REST = b'}]",', b"1234567890", b":.-[{tfnZ" + bytes(range(33, 127)) + bytes(range(256))
_ORDERS = (_FIRST + _DIGITS + _REST, _FIRST + _REST + _DIGITS)
"""Digits first for numbers; last for what goes on behind them, as a time does. A 0 after the others: there
may be no end behind 0.0000. White space only where nothing else is left."""


class Endings:
    """Finds endings with the tokens of one vocabulary."""

    def __init__(self, token_bytes: Sequence[bytes], tokenize: Callable[[bytes], list[int]]) -> None:
        """`token_bytes`: those of each token. `tokenize`: bytes in the fewest tokens."""
        alone = {octets[0]: token for token, octets in enumerate(token_bytes) if len(octets) == 1}
        self._orders = [
            list(dict.fromkeys(alone[byte] for byte in order if byte in alone)) for order in _ORDERS
        ]
        self.token_bytes = token_bytes
        self._tokenize = tokenize

    def find(
        self, matcher: LLMatcher, hints: Collection[bytes] = (), most: int = LONGEST
    ) -> list[int] | None:
        """Tokens after which the text is complete; none if it is already. None: no way was found.

        `hints`: names to be preferred where names begin. The matcher is left as it was.
        """
        for order in self._orders:
            path = self._walk(matcher.deep_copy(), order, hints, most)
            if path is not None:
                return self._in_fewer_tokens(matcher, path)
        # They went round in circles. What was tried less often comes first: in the end everything is tried.
        path = self._walk(matcher.deep_copy(), self._orders[0], (), min(most, LONGEST_FAIR), fair=True)
        return None if path is None else self._in_fewer_tokens(matcher, _shortened(matcher, path))

    def _walk(
        self,
        matcher: LLMatcher,
        order: Sequence[int],
        hints: Collection[bytes],
        most: int,
        fair: bool = False,
    ) -> list[int] | None:
        path: list[int] = []
        tried: Counter[int] = Counter()
        text = b""
        while not matcher.is_accepting():
            forced = matcher.compute_ff_tokens() or [
                _choose(self._allowed(matcher, order), _names(hints, text), tried if fair else None)
            ]
            if len(path) + len(forced) > most or forced[0] < 0 or not matcher.consume_tokens(forced):
                return None
            path += forced
            tried.update(forced)
            text += b"".join(self.token_bytes[token] for token in forced)
        return path

    def _allowed(self, matcher: LLMatcher, order: Sequence[int]) -> dict[int, int]:
        """The bytes that may come next, in order, and their tokens."""
        mask = matcher.compute_bitmask()
        return {self.token_bytes[token][0]: token for token in order if mask[token >> 3] >> (token & 7) & 1}

    def _in_fewer_tokens(self, matcher: LLMatcher, path: list[int]) -> list[int]:
        """The same bytes in the tokens of the tokenizer, if the grammar lets them pass."""
        octets = b"".join(self.token_bytes[token] for token in path)
        fewer = self._tokenize(octets)
        if len(fewer) < len(path) and completes(matcher, fewer):
            return fewer
        return path


def _choose(allowed: dict[int, int], hinted: Collection[int], tried: Counter[int] | None) -> int:
    """The best token; -1 if there is none."""
    if not allowed:
        return -1
    if tried is not None:
        return min(allowed.values(), key=lambda token: tried[token])
    if allowed.keys() >= set(b'}]"'):
        return allowed[ord('"')]  # inside a string: nothing else lets both brackets pass
    return next((token for byte, token in allowed.items() if byte in hinted), next(iter(allowed.values())))


def _names(hints: Collection[bytes], text: bytes) -> set[int]:
    """The bytes with which one of the hints goes on, if a name has begun at the end of a JSON text."""
    before, quote, said = text.rpartition(b'"')
    if not quote or before.rstrip()[-1:] not in (b"{", b","):
        return set()
    return {hint[len(said)] for hint in hints if hint.startswith(said) and len(hint) > len(said)}


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
