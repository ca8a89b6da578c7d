"""The JSON of a text completion; a piece of a stream has the form of the whole (`text_completion`)."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wending.engine.client import CompletionDelta, TokenLogprob
from wending.serve.event_stream import DONE, event
from wending.serve.logprobs import TextLogprobs
from wending.serve.report import Report
from wending.serve.tally import Tally, UsageInStream, usage, usage_beside


@dataclass(slots=True)
class TextAnswer:
    """What all parts of one answer have in common. It is used for one answer only: it counts the tokens.

    The n completions of each prompt are choices of one list: completion c of prompt p is number p * n + c.
    """

    model: str
    system_fingerprint: str
    tallies: list[Tally]
    """One for each prompt."""
    n: int
    beginnings: list[str]
    """What each prompt's choices begin with: the prompt itself, if it is to be echoed."""
    report: Report | None = None
    id: str = field(default_factory=lambda: f"cmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    async def whole(self, deltas: AsyncIterable[CompletionDelta]) -> dict[str, Any]:
        """The answer as one object, when all choices have ended. Deltas bear the numbers of choices."""
        numbers = range(len(self.tallies) * self.n)
        texts = [[self.beginnings[i // self.n]] for i in numbers]
        logprobs: list[list[TokenLogprob] | None] = [None for _ in numbers]
        reasons: list[str | None] = [None for _ in numbers]
        async for delta in deltas:
            i = delta.index
            self.tallies[i // self.n].add(delta)
            texts[i].append(delta.text)
            if delta.logprobs is not None:
                logprobs[i] = (logprobs[i] or []) + delta.logprobs
            reasons[i] = delta.finish_reason
        choices = [
            _choice(i, "".join(texts[i]), _logprobs(TextLogprobs(), logprobs[i]), reasons[i]) for i in numbers
        ]
        return self._object(choices) | {"usage": usage(self.tallies)} | self._report()

    async def events(
        self, deltas: AsyncIterable[CompletionDelta], usage_in_stream: UsageInStream
    ) -> AsyncIterator[bytes]:
        """The answer as server-sent events: one for each choice that begins it, then one for each delta."""
        logprobs = [TextLogprobs() for _ in range(len(self.tallies) * self.n)]
        yield b"".join(
            event(
                self._object([_choice(i, self.beginnings[i // self.n])])
                | usage_beside(self.tallies, usage_in_stream)
            )
            for i in range(len(logprobs))
        )
        async for delta in deltas:
            self.tallies[delta.index // self.n].add(delta)
            if delta.text or delta.logprobs or delta.finish_reason is not None:
                new = _logprobs(logprobs[delta.index], delta.logprobs)
                choice = _choice(delta.index, delta.text, new, delta.finish_reason)
                yield event(self._object([choice]) | usage_beside(self.tallies, usage_in_stream))
        last = ({} if usage_in_stream == "none" else {"usage": usage(self.tallies)}) | self._report()
        yield (event(self._object([]) | last) if last else b"") + DONE

    def _object(self, choices: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.system_fingerprint,
            "choices": choices,
        }

    def _report(self) -> dict[str, Any]:
        return {} if self.report is None else {"wending": self.report.of_prompts(self.tallies)}


def _choice(
    index: int, text: str, logprobs: dict[str, Any] | None = None, finish_reason: str | None = None
) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish_reason}


def _logprobs(lists: TextLogprobs, tokens: Sequence[TokenLogprob] | None) -> dict[str, Any] | None:
    return None if tokens is None else lists.next(tokens)
