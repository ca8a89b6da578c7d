"""Log-probabilities as OpenAI's two APIs write them. A number in them is always a JSON number."""

from __future__ import annotations

import codecs
import math
from collections.abc import Sequence
from typing import Any

from wending.engine.client import TokenLogprob, TopLogprob

LEAST_LOGPROB = -9999.0  # what OpenAI writes for a token that is all but impossible


def chat_logprobs(tokens: Sequence[TokenLogprob] | None) -> dict[str, Any] | None:
    """The form of chat completions; None if none were asked for."""
    if tokens is None:
        return None
    content = [_token(token) | {"top_logprobs": [_token(top) for top in token.top]} for token in tokens]
    return {"content": content, "refusal": None}


class TextLogprobs:
    """The form of text completions: parallel lists over the tokens of one completion."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._offset = 0  # whole characters so far

    def next(self, tokens: Sequence[TokenLogprob]) -> dict[str, Any]:
        """The lists for further tokens. `text_offset`: the characters that were whole before each of them."""
        offsets = []
        for token in tokens:
            offsets.append(self._offset)
            self._offset += len(self._decoder.decode(bytes(token.bytes)))
        return {
            "tokens": [_text(token) for token in tokens],
            "token_logprobs": [_finite(token.logprob) for token in tokens],
            "top_logprobs": [_by_text(token) for token in tokens],
            "text_offset": offsets,
        }


def _by_text(token: TokenLogprob) -> dict[str, float]:
    """The most likely tokens and the chosen one. Of those that read the same the most likely counts."""
    by_text: dict[str, float] = {}
    alternatives: list[TokenLogprob | TopLogprob] = [*token.top, token]
    for one in alternatives:
        by_text.setdefault(_text(one), _finite(one.logprob))
    return by_text


def _text(token: TokenLogprob | TopLogprob) -> str:
    """A token alone; one that is no whole characters as OpenAI writes it, for example bytes:\\xe4\\xbd."""
    octets = bytes(token.bytes)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{octet:02x}" for octet in octets)


def _token(token: TokenLogprob | TopLogprob) -> dict[str, Any]:
    return {"token": token.token, "logprob": _finite(token.logprob), "bytes": token.bytes}


def _finite(logprob: float) -> float:
    return max(logprob, LEAST_LOGPROB) if math.isfinite(logprob) else LEAST_LOGPROB
