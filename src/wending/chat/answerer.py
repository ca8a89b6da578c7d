"""What the chat needs of a model, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Message = dict[str, str]
"""Of a conversation, with the keys "role" and "content"."""


class AnswerFailed(Exception):  # noqa: N818
    """There is no answer, or no more of it. The message says why."""


class Answerer(Protocol):
    """A model that answers one conversation at a time."""

    name: str
    """Of the model."""

    def answer(self, messages: list[Message], on_text: Callable[[str], None]) -> str:
        """Answer a conversation, its text given to `on_text` piece by piece as it comes.

        Returns the finish reason, "stop" or "length". Raises AnswerFailed, and KeyboardInterrupt when Ctrl-C
        was pressed meanwhile, after which the next conversation can be answered.
        """
        ...
