"""What became of a number of requests of one kind: their answers, or why there was none."""

from __future__ import annotations

from dataclasses import dataclass, field

from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint_errors import EndpointError


@dataclass(slots=True)
class Outcomes:
    """An empty answer is an answer, although it has neither a first token nor a speed."""

    answers: list[ChatAnswer] = field(default_factory=list)
    errors: list[EndpointError] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.answers) + len(self.errors)

    @property
    def ttfts(self) -> list[float]:
        """Seconds."""
        return [answer.ttft_s for answer in self.answers if answer.ttft_s is not None]

    @property
    def speeds(self) -> list[float]:
        """Tokens per second of each stream."""
        return [answer.tokens_per_s for answer in self.answers if answer.tokens_per_s is not None]

    @property
    def token_counts(self) -> list[int]:
        return [answer.tokens for answer in self.answers]
