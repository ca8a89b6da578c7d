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

    A model may reason before it answers. `usage_tokens` then counts those tokens too, so rates from usage run
    from the first of them where the endpoint streams them (`reasoning_began`), and leave them out
    (`reasoning_tokens`, part of `usage_tokens`) where it keeps them to itself.
    """

    sent: float
    text: str = ""
    content_times: list[float] = field(default_factory=list)
    ended: float | None = None
    finish_reason: str | None = None
    usage_tokens: int | None = None
    prompt_tokens: int | None = None
    reasoning_began: float | None = None
    reasoning_tokens: int | None = None

    @property
    def has_reasoning(self) -> bool:
        return self.reasoning_began is not None or bool(self.reasoning_tokens)

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
        if not self.content_times:
            return None
        began, end, tokens = self.content_times[0], self.content_times[-1], self.tokens
        if self.usage_tokens is not None:
            end = self.ended or end
            if self.reasoning_began is not None:
                began = min(began, self.reasoning_began)
            else:
                tokens -= self.reasoning_tokens or 0
        if tokens < MIN_TOKENS_FOR_SPEED or end <= began:
            return None
        return (end - began) / (tokens - 1)

    @property
    def tokens_per_s(self) -> float | None:
        """Output speed as a reader sees it, 1 / TPOT: the wait for the first token is not in it."""
        return None if self.tpot_s is None else 1.0 / self.tpot_s
