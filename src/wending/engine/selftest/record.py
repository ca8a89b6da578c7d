"""All that can be seen of a completion, and where two of them differ first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wending.engine.client import CompletionDelta, TokenLogprob

TOKENS_SHOWN = 8

Key = tuple[int, int]
"""Number of the request, index of the completion."""


@dataclass(slots=True)
class Record:
    """A completion as it was delivered, and a digest of the logits of each token where they can be seen."""

    token_ids: list[int] = field(default_factory=list)
    text: str = ""
    logprobs: list[TokenLogprob] = field(default_factory=list)
    finish_reason: str | None = None
    error: str | None = None
    logits: dict[int, int] = field(default_factory=dict)
    """By position of the token; empty where logits cannot be seen."""

    def add(self, delta: CompletionDelta) -> None:
        """Append what was delivered."""
        self.token_ids += delta.token_ids
        self.text += delta.text
        self.logprobs += delta.logprobs or []
        self.finish_reason, self.error = delta.finish_reason, delta.error


Records = Mapping[Key, Record]


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first thing in which a completion is another one than alone."""

    key: Key
    what: str
    """ "logits", "token", "logprob", "length", "text", "finish_reason" or "missing"."""
    position: int
    """Of the token in the completion."""
    expected: Any
    found: Any
    tokens_before: list[int]
    """The newest tokens that both have."""


def first_divergence(
    key: Key, expected: Record, found: Record | None, *, logits: bool = True
) -> Divergence | None:
    """Where `found` differs from `expected` first; None if in nothing. `logits`: whether they were seen."""
    if found is None:
        return Divergence(key, "missing", 0, len(expected.token_ids), None, [])

    def divergence(what: str, position: int, one: Any, other: Any) -> Divergence:
        return Divergence(
            key, what, position, one, other, expected.token_ids[max(position - 8, 0) : position]
        )

    for position in range(min(len(expected.token_ids), len(found.token_ids))):
        one, other = expected.logits.get(position), found.logits.get(position)
        if logits and (one != other or (one is None and _had_a_choice(expected, position))):
            return divergence("logits", position, one, other)
        for what, mine, theirs in (
            ("token", expected.token_ids, found.token_ids),
            ("logprob", expected.logprobs, found.logprobs),
        ):
            if mine[position : position + 1] != theirs[position : position + 1]:
                return divergence(what, position, mine[position], theirs[position])
    end = min(len(expected.token_ids), len(found.token_ids))
    for what, mine_whole, theirs_whole in (
        ("finish_reason", _reason(expected), _reason(found)),
        ("length", len(expected.token_ids), len(found.token_ids)),
        ("text", expected.text, found.text),
    ):
        if mine_whole != theirs_whole:
            return divergence(what, end, mine_whole, theirs_whole)
    return None


def _had_a_choice(record: Record, position: int) -> bool:
    """Whether a token was chosen from logits; a grammar may have left no choice."""
    return position >= len(record.logprobs) or bool(record.logprobs[position].top)


def _reason(record: Record) -> str | None:
    return record.finish_reason if record.error is None else f"{record.finish_reason}: {record.error}"
