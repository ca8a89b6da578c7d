"""What the requests did between two samples: counts and histograms, never a list of requests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint_errors import BadStatus, EndpointError
from wending.assess.soak.histogram import Histogram


@dataclass(slots=True)
class Window:
    requests: int = 0
    """Answered requests."""
    tokens: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    ttft: Histogram = field(default_factory=Histogram)
    """Seconds."""
    speed: Histogram = field(default_factory=Histogram)
    """Tokens per second of one answer."""

    def add_answer(self, answer: ChatAnswer) -> None:
        if answer.ttft_s is None:
            self.errors["empty_answer"] += 1
            return
        self.requests += 1
        self.tokens += answer.tokens
        self.ttft.add(answer.ttft_s)
        if answer.tokens_per_s is not None:
            self.speed.add(answer.tokens_per_s)

    def add_error(self, error: EndpointError) -> None:
        """By kind; error statuses by their number."""
        if isinstance(error, BadStatus) and error.status != 200:
            self.errors[f"http_{error.status}"] += 1
        else:
            self.errors[error.kind] += 1

    def merge(self, other: Window) -> None:
        self.requests += other.requests
        self.tokens += other.tokens
        self.errors.update(other.errors)
        self.ttft.merge(other.ttft)
        self.speed.merge(other.speed)

    def to_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "tokens": self.tokens,
            "errors": dict(self.errors),
            "ttft": self.ttft.to_json(),
            "speed": self.speed.to_json(),
        }

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Window:
        """From a line of the log."""
        return cls(
            line["requests"],
            line["tokens"],
            Counter(line["errors"]),
            Histogram(line["ttft"]),
            Histogram(line["speed"]),
        )
