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
from wending.serve.tally import Tally, UsageInStream, usage, usage_beside
from wending.serve.tool_calls import Arguments, CallBegin, CallEnd, Piece, Text, ToolCallReader


@dataclass(slots=True)
class ChatAnswer:
    """What all parts of one answer have in common. It is used for one answer only: it counts the tokens."""

    model: str
    system_fingerprint: str
    tally: Tally
    n: int
    report: Report | None = None
    with_tools: bool = False
    """Whether its texts may have calls of tools in them."""
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    _readers: dict[int, ToolCallReader] = field(default_factory=dict)

    async def whole(self, deltas: AsyncIterable[CompletionDelta]) -> dict[str, Any]:
        """The answer as one object, when all of its completions have ended."""
        messages = [_Message() for _ in range(self.n)]
        logprobs: list[list[TokenLogprob] | None] = [None] * self.n
        reasons: list[str | None] = [None] * self.n
        async for delta in deltas:
            self.tally.add(delta)
            messages[delta.index].add(self._pieces(delta))
            if delta.logprobs is not None:
                logprobs[delta.index] = (logprobs[delta.index] or []) + delta.logprobs
            reasons[delta.index] = self._finish_reason(delta)
        choices = [
            {
                "index": i,
                "message": messages[i].whole(),
                "logprobs": chat_logprobs(logprobs[i]),
                "finish_reason": reasons[i],
            }
            for i in range(self.n)
        ]
        return self._object("chat.completion", choices) | {"usage": usage([self.tally])} | self._report()

    async def events(
        self, deltas: AsyncIterable[CompletionDelta], usage_in_stream: UsageInStream
    ) -> AsyncIterator[bytes]:
        """The answer as server-sent events, those of one delta together; the first ones need no delta."""

        def events(choices: Sequence[dict[str, Any]]) -> bytes:
            beside = usage_beside([self.tally], usage_in_stream)
            return b"".join(
                event(self._object("chat.completion.chunk", [choice]) | beside) for choice in choices
            )

        head = {"role": "assistant", "content": "", "refusal": None}
        yield events([_chunk_choice(i, head) for i in range(self.n)])
        async for delta in deltas:
            self.tally.add(delta)
            choices = self._delta_choices(delta)
            if choices:
                yield events(choices)
        last = ({} if usage_in_stream == "none" else {"usage": usage([self.tally])}) | self._report()
        yield (event(self._object("chat.completion.chunk", []) | last) if last else b"") + DONE

    def _delta_choices(self, delta: CompletionDelta) -> list[dict[str, Any]]:
        """Choices with what is new, if anything is, then one with the reason, if it has ended."""
        changes = [change for piece in self._pieces(delta) if (change := _change(piece)) is not None]
        if not changes and delta.logprobs:
            changes = [{"content": ""}]
        choices = [
            _chunk_choice(delta.index, change, chat_logprobs(delta.logprobs) if place == 0 else None)
            for place, change in enumerate(changes)
        ]
        reason = self._finish_reason(delta)
        if reason is not None:
            choices.append(_chunk_choice(delta.index, {}, finish_reason=reason))
        return choices

    def _pieces(self, delta: CompletionDelta) -> list[Piece]:
        """What a delta adds to its completion."""
        if not self.with_tools:
            return [Text(delta.text)] if delta.text else []
        reader = self._readers.setdefault(delta.index, ToolCallReader())
        pieces = reader.feed(delta.text)
        return pieces if delta.finish_reason is None else pieces + reader.finish()

    def _finish_reason(self, delta: CompletionDelta) -> str | None:
        calls = self.with_tools and self._readers[delta.index].calls
        return "tool_calls" if calls and delta.finish_reason == "stop" else delta.finish_reason

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


class _Message:
    """The message of one completion, as its pieces come."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls: list[tuple[CallBegin, list[str]]] = []

    def add(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            match piece:
                case Text():
                    self._text.append(piece.text)
                case CallBegin():
                    self._calls.append((piece, []))
                case Arguments():
                    self._calls[piece.index][1].append(piece.text)

    def whole(self) -> dict[str, Any]:
        content: str | None = "".join(self._text)
        message = {"role": "assistant", "content": content, "refusal": None}
        if not self._calls:
            return message
        calls = [_call(call, "".join(arguments)) for call, arguments in self._calls]
        return message | {"content": content or None, "tool_calls": calls}


def _call(call: CallBegin, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _change(piece: Piece) -> dict[str, Any] | None:
    """What a piece changes in the message that a client puts together."""
    match piece:
        case Text():
            return {"content": piece.text}
        case CallBegin():
            return {"tool_calls": [{"index": piece.index} | _call(piece, "")]}
        case Arguments():
            return {"tool_calls": [{"index": piece.index, "function": {"arguments": piece.text}}]}
        case CallEnd():
            return None


def _chunk_choice(
    index: int,
    delta: dict[str, Any],
    logprobs: dict[str, Any] | None = None,
    finish_reason: str | None = None,
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
