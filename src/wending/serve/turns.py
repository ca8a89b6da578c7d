"""A conversation as its system prompt and its turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

Message = dict[str, Any]
"""As the chat template takes it."""


class Conversation(NamedTuple):
    """The messages in their order: those of `system`, then those of each turn."""

    system: list[Message]
    """The system messages that it begins with."""
    turns: list[list[Message]]
    """A user's message, with system messages immediately before it, and all answers, calls and results of
    tools up to the next one. What comes before the first user's message is a turn too."""


def conversation_of(messages: Sequence[Message]) -> Conversation:
    """Nothing is changed or left out."""
    first = next((i for i, message in enumerate(messages) if message["role"] != "system"), len(messages))
    begins = [first]
    for i in range(first + 1, len(messages)):
        if messages[i]["role"] == "user":
            while messages[i - 1]["role"] == "system" and i - 1 > begins[-1]:
                i -= 1
            begins.append(i)
    ends = [*begins[1:], len(messages)]
    turns = [list(messages[begin:end]) for begin, end in zip(begins, ends, strict=True) if begin < end]
    return Conversation(list(messages[:first]), turns)
