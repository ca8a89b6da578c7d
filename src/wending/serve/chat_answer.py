"""The JSON of a chat completion, whole (`chat.completion`) and in pieces (`chat.completion.chunk`)."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wending.engine.client import CompletionDelta, TokenLogprob, TopLogprob
from wending.serve.event_stream import DONE, event
from wending.serve.openai_errors import APIError

LEAST_LOGPROB = -9999.0  # what OpenAI writes for a token that is all but impossible


@dataclass(slots=True)
class ChatAnswer:
    """What all parts of one answer have in common. It is used for one answer only: it counts the tokens."""

    model: str
    system_fingerprint: str
    prompt_tokens: int
    n: int
    completion_tokens: int = 0
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    async def whole(self, deltas: AsyncIterable[CompletionDelta]) -> dict[str, Any]:
        """The answer as one object, when all of its completions have ended."""
        texts: list[list[str]] = [[] for _ in range(self.n)]
        logprobs: list[list[TokenLogprob] | None] = [None] * self.n
        reasons: list[str | None] = [None] * self.n
        async for delta in deltas:
            self._count(delta)
            texts[delta.index].append(delta.text)
            if delta.logprobs is not None:
                logprobs[delta.index] = (logprobs[delta.index] or []) + delta.logprobs
            reasons[delta.index] = delta.finish_reason
        choices = [
            {
                "index": i,
                "message": {"role": "assistant", "content": "".join(texts[i]), "refusal": None},
                "logprobs": _logprobs(logprobs[i]),
                "finish_reason": reasons[i],
            }
            for i in range(self.n)
        ]
        return self._object("chat.completion", choices) | {"usage": self._usage()}

    async def events(
        self, deltas: AsyncIterable[CompletionDelta], include_usage: bool
    ) -> AsyncIterator[bytes]:
        """The answer as server-sent events, one piece for each delta, all its events together."""
        # With include_usage each chunk has the field, and only the last one a value.
        usage: dict[str, Any] = {"usage": None} if include_usage else {}
        head: Sequence[dict[str, Any]] | None = [
            _chunk_choice(i, {"role": "assistant", "content": "", "refusal": None}) for i in range(self.n)
        ]
        async for delta in deltas:
            self._count(delta)
            choices = [*(head or ()), *_delta_choices(delta)]
            head = None
            if choices:
                yield b"".join(
                    event(self._object("chat.completion.chunk", [choice]) | usage) for choice in choices
                )
        tail = DONE
        if include_usage:
            tail = event(self._object("chat.completion.chunk", []) | {"usage": self._usage()}) + DONE
        yield tail

    def _count(self, delta: CompletionDelta) -> None:
        if delta.finish_reason == "error":
            message = f"The completion failed: {delta.error}"
            # OpenAI's client libraries ask again after a 500, and this request would kill the engine again.
            headers = {"x-should-retry": "false"} if delta.error_code == "worker_crashed" else {}
            code = delta.error_code or "completion_failed"
            status = 504 if delta.error_code == "deadline_exceeded" else 500
            raise APIError(status, message, type="server_error", code=code, headers=headers)
        self.completion_tokens += len(delta.token_ids)

    def _object(self, kind: str, choices: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.system_fingerprint,
            "choices": choices,
        }

    def _usage(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        }


def _delta_choices(delta: CompletionDelta) -> list[dict[str, Any]]:
    """A choice with the new text, if there is any, then one with the reason, if it has ended."""
    choices = []
    if delta.text or delta.logprobs:
        choices.append(_chunk_choice(delta.index, {"content": delta.text}, _logprobs(delta.logprobs)))
    if delta.finish_reason is not None:
        choices.append(_chunk_choice(delta.index, {}, finish_reason=delta.finish_reason))
    return choices


def _chunk_choice(
    index: int,
    delta: dict[str, Any],
    logprobs: dict[str, Any] | None = None,
    finish_reason: str | None = None,
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}


def _logprobs(tokens: Sequence[TokenLogprob] | None) -> dict[str, Any] | None:
    if tokens is None:
        return None
    content = [_token(token) | {"top_logprobs": [_token(top) for top in token.top]} for token in tokens]
    return {"content": content, "refusal": None}


def _token(token: TokenLogprob | TopLogprob) -> dict[str, Any]:
    logprob = token.logprob if math.isfinite(token.logprob) else LEAST_LOGPROB
    return {"token": token.token, "logprob": max(logprob, LEAST_LOGPROB), "bytes": token.bytes}
