"""Keeps JSON answers to what programs can read: numbers of so many digits, brackets so deep in others.

JSON bounds neither, and a model that repeats itself goes on with them. Programs read numbers as IEEE 754
doubles: beyond 1.8e308 there is none, and of the many digits of a fraction only the first 17 tell one from
another. Many follow no more than some hundred levels of brackets. So tokens that would go beyond the limits
are taken out of what may come next, unless nothing else may: a schema can ask for more. No way to a complete
text becomes longer: a number can end at its limit, and what is opened before it needs an end in any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wending.engine.constraint import CALL_BEGINS, CALL_ENDS
from wending.engine.token_mask import without

MOST_DIGITS = 40
"""Before the exponent. An integer of 128 bits has 39."""
MOST_SIGNIFICANT = 17
"""Digits from the first that is not 0 on, of a number with a point: enough for every double."""
MOST_SIGNIFICANT_IF_COMPARED = 14
"""The same where a schema has bounds that a number must not reach, or steps. Numbers of up to 15 digits stay
different from each other as doubles, and one more may be needed to leave a bound behind: 1.0…01."""
MOST_EXPONENT_DIGITS = 3
MOST_MAGNITUDE = 308
"""Of the exponent and the digits before the point together: every number below 1e308 is a double."""
MOST_DEPTH = 64
"""Levels of arrays and objects: the least of those that the JSON readers of usual languages follow (.NET)."""

_COMPARING = frozenset(("exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]*)?")
_REST = re.compile(rb"([-+]?[0-9]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]*)?)(?:[\s,}\]]|$)")
"""What a number may go on with, and what shows that it does not go on."""
_QUOTE, _BACKSLASH = b'"\\'
_BEGINS, _GOES_ON = b"-0123456789", b"-+.eE0123456789"
_OPENS, _CLOSES = b"[{", b"]}"


class JSONState(NamedTuple):
    """Where in the words of JSON a text is."""

    most_significant: int
    in_json: bool = True
    """Not in the text beside calls of tools, where quotes and digits mean nothing."""
    in_string: bool = False
    escaped: bool = False
    number: bytes = b""
    """As far as it has come; empty: the text is in none."""
    depth: int = 0
    """How many brackets and braces are open."""


def json_state(schemas: Any, in_json: bool) -> JSONState:
    """The state before the first token. `schemas`: JSON with all schemas that an answer keeps to."""
    most, waiting = MOST_SIGNIFICANT, [schemas]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if not _COMPARING.isdisjoint(node):
                most = MOST_SIGNIFICANT_IF_COMPARED
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return JSONState(most, in_json)


def within_limits(number: bytes, most_significant: int) -> bool:
    """Whether a number, or what one begins with, is not too long, and can still end without becoming so."""
    mantissa, _, exponent = number.lower().partition(b"e")
    whole, point, fraction = mantissa.lstrip(b"-").partition(b".")
    digits = whole + (fraction or b"1" if point else b"")
    if len(digits) > MOST_DIGITS or (point and len(digits.lstrip(b"0")) > most_significant):
        return False
    size = exponent.lstrip(b"+-") or b"0"
    if len(size) > MOST_EXPONENT_DIGITS or not size.isdigit():  # a second point: no grammar lets it pass
        return False
    return exponent.startswith(b"-") or len(whole) + int(size) <= MOST_MAGNITUDE


class Read(NamedTuple):
    """What bytes of a JSON text lead to."""

    state: JSONState
    numbers: list[bytes]
    """Those in the bytes, or what there is of them."""
    deepest: int

    @property
    def is_within(self) -> bool:
        """Whether nothing in the bytes is beyond its limit."""
        most = self.state.most_significant
        return self.deepest <= MOST_DEPTH and all(within_limits(number, most) for number in self.numbers)


def over(state: JSONState, octets: bytes) -> Read:
    """Read these bytes where a JSON text is in `state`."""
    most, in_json, in_string, escaped, number, depth = state
    numbers, deepest = [], depth
    for octet in octets:
        if in_string:
            in_string = escaped or octet != _QUOTE
            escaped = octet == _BACKSLASH and not escaped
        elif octet in (_GOES_ON if number else _BEGINS):
            number += octet.to_bytes()
        else:
            if number:
                numbers.append(number)
                number = b""
            if octet == _QUOTE:
                in_string = True
            elif octet in _OPENS:
                depth += 1
                deepest = max(deepest, depth)
            elif octet in _CLOSES:
                depth -= 1
    if number:
        numbers.append(number)
    return Read(JSONState(most, in_json, in_string, escaped, number, depth), numbers, deepest)


class JSONLimit:
    """Follows JSON through the tokens of one vocabulary."""

    def __init__(self, token_bytes: Sequence[bytes], tags: Mapping[bytes, int]) -> None:
        """`token_bytes`: those of each token. `tags`: the tokens around calls of tools, if it has any."""
        self._token_bytes = token_bytes
        self._call_begins, self._call_ends = tags.get(CALL_BEGINS.encode()), tags.get(CALL_ENDS.encode())
        self._tokens_of_rest: dict[bytes, list[int]] = {}
        """By what a number would go on with."""
        self._long: list[int] = []
        """Tokens in which a number is too long without what stands before it: most vocabularies have none."""
        self._opening: list[int] = []
        """Tokens that have brackets or braces."""
        for token, octets in enumerate(token_bytes):
            rest = _REST.match(octets)
            if rest is not None and rest[1].strip(b"-+eE"):
                self._tokens_of_rest.setdefault(rest[1], []).append(token)
            numbers = _NUMBER.findall(octets)
            if not all(within_limits(number, MOST_SIGNIFICANT_IF_COMPARED) for number in numbers):
                self._long.append(token)
            if b"[" in octets or b"{" in octets:
                self._opening.append(token)
        self._harmless = next(length for length in count() if not self._all_go_on(length))
        """Numbers of fewer bytes, without exponent, stay within their limits with any one token."""
        opened = (token_bytes[token].count(b"[") + token_bytes[token].count(b"{") for token in self._opening)
        self._shallow = MOST_DEPTH - max(opened, default=0)
        """So deep, any one token may follow."""
        self._too_deep = lru_cache(maxsize=256)(self._find_too_deep)

    def _all_go_on(self, length: int) -> bool:
        """Whether every number of so many bytes may go on with any token that numbers can go on with."""
        longest = [b"9" * length, b"9." + b"9" * (length - 2)]
        numbers = [number + rest for number in longest for rest in self._tokens_of_rest]
        within = all(within_limits(number, MOST_SIGNIFICANT_IF_COMPARED) for number in numbers)
        return within and length <= MOST_DIGITS

    def after(self, state: JSONState, token_ids: Iterable[int]) -> JSONState:
        """Where a text is after these tokens."""
        for token in token_ids:
            if token in (self._call_begins, self._call_ends):
                state = JSONState(state.most_significant, token == self._call_begins)
            elif state.in_json:
                state = over(state, self._token_bytes[token]).state
        return state

    def narrow(self, state: JSONState, allowed: NDArray[np.uint32]) -> None:
        """Take the tokens that would go beyond a limit out of those that are allowed, as Guide.fill has them,
        unless none would be left. Then those go that would leave a number as near to a bound as it is: more
        zeros, of which there may be no end, and a fraction.
        """
        tokens = self._beyond(state)
        if tokens and not without(tokens, allowed):
            without([token for token in tokens if self._token_bytes[token].startswith((b"0", b"."))], allowed)

    def _beyond(self, state: JSONState) -> list[int]:
        if not state.in_json:
            return []
        most, number = state.most_significant, state.number
        tokens = [token for token in self._long if not over(state, self._token_bytes[token]).is_within]
        if state.depth > self._shallow:
            tokens += self._too_deep(state.depth, state.in_string, state.escaped)
        if number and (len(number) >= self._harmless or b"e" in number or b"E" in number):
            for rest, having in self._tokens_of_rest.items():
                if not within_limits(number + rest, most):
                    tokens += having
        return tokens

    def _find_too_deep(self, depth: int, in_string: bool, escaped: bool) -> list[int]:
        state = JSONState(MOST_SIGNIFICANT, True, in_string, escaped, b"", depth)
        reads = ((token, over(state, self._token_bytes[token])) for token in self._opening)
        return [token for token, read in reads if read.deepest > MOST_DEPTH]
