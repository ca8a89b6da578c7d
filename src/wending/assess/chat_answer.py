"""One answer of an endpoint with the times of its pieces, and the rates that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field

MIN_TOKENS_FOR_SPEED = 8
"""Answers of fewer tokens have no speed worth the name."""


@dataclass(slots=True)
class ChatAnswer:
    """Times are seconds of one monotonic clock.

    `ended` is the arrival of the event that carried finish_reason; its token (the end-of-turn token) is
    part of usage.completion_tokens, so rates from usage run to it. Where usage is missing, events with
    content stand for tokens and the last of them is the end.
    """

    sent: float
    text: str = ""
    content_times: list[float] = field(default_factory=list)
    ended: float | None = None
    finish_reason: str | None = None
    usage_tokens: int | None = None
    prompt_tokens: int | None = None

    def add_content(self, text: str, now: float) -> None:
        self.text += text
        self.content_times.append(now)

    @property
    def tokens(self) -> int:
        """Completion tokens from usage; without usage, the number of events that carried content."""
        return len(self.content_times) if self.usage_tokens is None else self.usage_tokens

    @property
    def ttft_s(self) -> float | None:
        """Seconds from sending to the first non-empty content; None when the answer is empty."""
        return self.content_times[0] - self.sent if self.content_times else None

    @property
    def tpot_s(self) -> float | None:
        """Seconds per token after the first: (end - first token) / (tokens - 1); None below eight tokens.

        So few tokens may all arrive in one network packet, and their rate would be that of the network.
        """
        if not self.content_times or self.tokens < MIN_TOKENS_FOR_SPEED:
            return None
        end = self.content_times[-1]
        if self.usage_tokens is not None and self.ended is not None:
            end = self.ended
        elapsed = end - self.content_times[0]
        return elapsed / (self.tokens - 1) if elapsed > 0 else None

    @property
    def tokens_per_s(self) -> float | None:
        """Output speed as a reader sees it, 1 / TPOT: the wait for the first token is not in it."""
        return None if self.tpot_s is None else 1.0 / self.tpot_s
