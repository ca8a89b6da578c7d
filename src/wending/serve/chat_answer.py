"""The JSON of a chat completion, whole (`chat.completion`) and in pieces (`chat.completion.chunk`)."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wending.engine.client import CompletionDelta, TokenLogprob
from wending.serve.event_stream import DONE, event
from wending.serve.logprobs import chat_logprobs
from wending.serve.report import Report
from wending.serve.tally import Tally, usage


@dataclass(slots=True)
class ChatAnswer:
    """What all parts of one answer have in common. It is used for one answer only: it counts the tokens."""

    model: str
    system_fingerprint: str
    tally: Tally
    n: int
    report: Report | None = None
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    async def whole(self, deltas: AsyncIterable[CompletionDelta]) -> dict[str, Any]:
        """The answer as one object, when all of its completions have ended."""
        texts: list[list[str]] = [[] for _ in range(self.n)]
        logprobs: list[list[TokenLogprob] | None] = [None] * self.n
        reasons: list[str | None] = [None] * self.n
        async for delta in deltas:
            self.tally.add(delta)
            texts[delta.index].append(delta.text)
            if delta.logprobs is not None:
                logprobs[delta.index] = (logprobs[delta.index] or []) + delta.logprobs
            reasons[delta.index] = delta.finish_reason
        choices = [
            {
                "index": i,
                "message": {"role": "assistant", "content": "".join(texts[i]), "refusal": None},
                "logprobs": chat_logprobs(logprobs[i]),
                "finish_reason": reasons[i],
            }
            for i in range(self.n)
        ]
        return self._object("chat.completion", choices) | {"usage": usage([self.tally])} | self._report()

    async def events(
        self, deltas: AsyncIterable[CompletionDelta], include_usage: bool
    ) -> AsyncIterator[bytes]:
        """The answer as server-sent events, those of one delta together; the first ones need no delta."""
        # With include_usage each chunk has the field, and only the last one a value.
        no_usage: dict[str, Any] = {"usage": None} if include_usage else {}

        def events(choices: Sequence[dict[str, Any]]) -> bytes:
            return b"".join(
                event(self._object("chat.completion.chunk", [choice]) | no_usage) for choice in choices
            )

        head = {"role": "assistant", "content": "", "refusal": None}
        yield events([_chunk_choice(i, head) for i in range(self.n)])
        async for delta in deltas:
            self.tally.add(delta)
            choices = _delta_choices(delta)
            if choices:
                yield events(choices)
        last = ({"usage": usage([self.tally])} if include_usage else {}) | self._report()
        yield (event(self._object("chat.completion.chunk", []) | last) if last else b"") + DONE

    def _object(self, kind: str, choices: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.system_fingerprint,
            "choices": choices,
        }

    def _report(self) -> dict[str, Any]:
        return {} if self.report is None else {"wending": self.report.of_prompt(self.tally)}


def _delta_choices(delta: CompletionDelta) -> list[dict[str, Any]]:
    """A choice with the new text, if there is any, then one with the reason, if it has ended."""
    choices = []
    if delta.text or delta.logprobs:
        choices.append(_chunk_choice(delta.index, {"content": delta.text}, chat_logprobs(delta.logprobs)))
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
