"""What was done to a conversation and to the ends of its answer, as the answer's report tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wending.serve.chat_prompt import ChatPrompt
from wending.serve.graceful_end import Ending


@dataclass(frozen=True, slots=True)
class ConversationReport:
    """Complete when the completions have ended."""

    prompt: ChatPrompt
    endings: Sequence[Ending]
    """Of each completion."""
    max_tokens: int | None
    """Those of one continuation."""

    def json(self) -> dict[str, Any]:
        return {
            "context_policy": self.prompt.context_policy,
            "dropped_turns": self.prompt.dropped_turns,
            "restated_system": self.prompt.restated_system,
            "continued": [self._continued(ending.tokens) for ending in self.endings],
            "cut": [
                {"characters": ending.cut_characters, "tokens": ending.cut_tokens} for ending in self.endings
            ],
        }

    def _continued(self, tokens: int) -> int:
        """How many times more than one max_tokens were begun."""
        return 0 if self.max_tokens is None else max(-(-tokens // self.max_tokens) - 1, 0)
