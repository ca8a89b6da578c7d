"""The tokens of a model as llguidance sees them. Made once, when the first constrained request comes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from llguidance import LLTokenizer, TokenizerWrapper

from wending.engine.constraint import CALL_BEGINS, CALL_ENDS
from wending.model.tokenizer import Tokenizer

_WHITE_SPACE, _IN_STRING = r"[\x20\x0A\x0D\x09]+", r'[^"\\\x00-\x1F\x7F]'
_LENGTHS = (3, 5, 7, 10, 15, 30)
"""Characters. Tokens of at most so many are allowed together where a string may have so many more. In more
steps than llguidance has by itself, the masks in strings with a bound, its slowest, take a quarter less."""


def grammar_vocabulary(tokenizer: Tokenizer, eos_token_ids: Collection[int]) -> LLTokenizer:
    """Takes a second for 151,665 tokens. A grammar has special tokens only where it names them, and the tags
    of calls as well: text that spells one out is text."""
    return LLTokenizer(
        TokenizerWrapper(_Tokens(tokenizer, min(eos_token_ids))),
        n_vocab=tokenizer.vocab_size,
        eos_token=sorted(eos_token_ids),
        slices=[_WHITE_SPACE, *(f"{_IN_STRING}{{1,{length}}}" for length in _LENGTHS), f"{_IN_STRING}+"],
    )


def tags(tokenizer: Tokenizer) -> dict[bytes, int]:
    """The tokens of a model that stand around a call of a tool."""
    added = tokenizer.added_tokens
    return {tag.encode(): added[tag] for tag in (CALL_BEGINS, CALL_ENDS) if tag in added}


def in_tokens(octets: bytes, vocabulary: LLTokenizer, tag_ids: Mapping[bytes, int]) -> list[int]:
    """Bytes in the fewest tokens, tags in their own."""
    pieces = re.split(b"(%s)" % b"|".join(map(re.escape, tag_ids)), octets) if tag_ids else [octets]
    tokens: list[int] = []
    for piece in pieces:
        tag = tag_ids.get(piece)
        tokens += vocabulary.tokenize_bytes(piece) if tag is None else [tag]
    return tokens


class _Tokens:
    """What TokenizerWrapper reads."""

    bos_token_id = None

    def __init__(self, tokenizer: Tokenizer, eos_token_id: int) -> None:
        self._tokenizer = tokenizer
        self.eos_token_id = eos_token_id
        names = {token_id: text for text, token_id in tokenizer.added_tokens.items()}
        special = tokenizer.special_token_ids.union(tags(tokenizer).values())
        self.special_token_ids: Sequence[int] = sorted(special)
        # llguidance wants a text for every token, and special tokens have none in an answer.
        self.tokens = [
            names[token_id].encode() if token_id in special else tokenizer.token_bytes(token_id)
            for token_id in range(tokenizer.vocab_size)
        ]

    def __call__(self, text: bytes | str) -> list[int]:
        return self._tokenizer.encode(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
