"""The tokens of a model as llguidance sees them. Made once, when the first constrained request comes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from llguidance import LLTokenizer, TokenizerWrapper

from wending.model.tokenizer import Tokenizer


def grammar_vocabulary(tokenizer: Tokenizer, eos_token_ids: Collection[int]) -> LLTokenizer:
    """Takes a second for 151,665 tokens. Special tokens other than those that end an answer are in no
    grammar."""
    return LLTokenizer(
        TokenizerWrapper(_Tokens(tokenizer, min(eos_token_ids))),
        n_vocab=tokenizer.vocab_size,
        eos_token=sorted(eos_token_ids),
        slices=LLTokenizer.json_slices(),
    )


class _Tokens:
    """What TokenizerWrapper reads."""

    bos_token_id = None

    def __init__(self, tokenizer: Tokenizer, eos_token_id: int) -> None:
        self._tokenizer = tokenizer
        self.eos_token_id = eos_token_id
        names = {token_id: text for text, token_id in tokenizer.added_tokens.items()}
        self.special_token_ids: Sequence[int] = sorted(tokenizer.special_token_ids)
        # llguidance wants a text for every token, and special tokens have none in an answer.
        self.tokens = [
            names[token_id].encode()
            if token_id in tokenizer.special_token_ids
            else tokenizer.token_bytes(token_id)
            for token_id in range(tokenizer.vocab_size)
        ]

    def __call__(self, text: bytes | str) -> list[int]:
        return self._tokenizer.encode(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
