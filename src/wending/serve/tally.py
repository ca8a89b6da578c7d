"""Counts one prompt's tokens while its answer comes, and notices a completion that fails."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from wending.engine.client import CompletionDelta
from wending.serve.openai_errors import APIError

UsageInStream = Literal["none", "last", "each"]
"""Which chunks of a stream have the usage."""


@dataclass(slots=True)
class Tally:
    """What is known of one prompt and its completions. It is used for one answer only."""

    prompt_tokens: int
    completion_tokens: int = 0
    cached_tokens: int | None = None
    """Tokens of the prompt that the completion which began first found in the prefix cache."""
    seed: int | None = None
    """The seed in use, from the first delta on."""

    def add(self, delta: CompletionDelta) -> None:
        """Count a delta. Raises APIError if its completion has failed."""
        if delta.finish_reason == "error":
            raise _failure(delta)
        self.completion_tokens += len(delta.token_ids)
        self.seed = delta.seed
        if self.cached_tokens is None:
            self.cached_tokens = delta.cached_tokens


def usage(tallies: Collection[Tally]) -> dict[str, Any]:
    """OpenAI's usage of an answer to these prompts."""
    prompt_tokens = sum(tally.prompt_tokens for tally in tallies)
    completion_tokens = sum(tally.completion_tokens for tally in tallies)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": sum(tally.cached_tokens or 0 for tally in tallies)},
    }


def usage_beside(tallies: Collection[Tally], usage_in_stream: UsageInStream) -> dict[str, Any]:
    """What a chunk that is not the last has: with "last" the field without a value, as OpenAI has it."""
    if usage_in_stream == "none":
        return {}
    return {"usage": usage(tallies) if usage_in_stream == "each" else None}


def _failure(delta: CompletionDelta) -> APIError:
    if delta.error_code == "grammar_too_complex":
        # It is what the client asked for that cannot be done, and it shows only on the way.
        message = f"The grammar is too complex to be followed: {delta.error}"
        return APIError(400, message, code="grammar_too_complex")
    # OpenAI's client libraries ask again after a 500, and this request would kill the engine again.
    headers = {"x-should-retry": "false"} if delta.error_code == "worker_crashed" else {}
    return APIError(
        504 if delta.error_code == "deadline_exceeded" else 500,
        f"The completion failed: {delta.error}",
        type="server_error",
        code=delta.error_code or "completion_failed",
        headers=headers,
    )
