"""A stream that goes to the client as it comes. JSON and calls are checked before its end is passed on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from wending.serve.event_stream import DONE, event
from wending.serve.guard.answer_chunks import report_chunk
from wending.serve.guard.begun_stream import begun_stream
from wending.serve.guard.guarded_answer import GuardedAnswer
from wending.serve.guard.invalid_answer import InvalidAnswer
from wending.serve.guard.sse_splitter import as_event
from wending.serve.guard.streamed_message import StreamedMessage


async def passed_stream(guarded: GuardedAnswer) -> AsyncGenerator[bytes, None]:
    """The upstream's events, byte for byte. Raises APIError; InvalidAnswer if what they say is not valid."""
    messages = _Messages(guarded) if guarded.request.is_checked else None
    chunk: dict[str, Any] = {}
    async with aclosing(begun_stream(guarded)) as events:
        async for received in events:
            chunk = received.chunk
            if messages is not None:
                for choice in chunk.get("choices") or []:
                    await messages.take(choice)
            yield as_event(received.data)
    if messages is not None:
        await messages.end()
    if guarded.wants_report:
        yield event(report_chunk(chunk, guarded.report_json()))
    yield DONE


class _Messages:
    """What each choice has said so far. It is checked when the choice, or else the stream, has ended."""

    def __init__(self, guarded: GuardedAnswer) -> None:
        self._guarded = guarded
        self._messages: dict[int, StreamedMessage] = {}
        self._checked: set[int] = set()

    async def take(self, choice: Mapping[str, Any]) -> None:
        index, finish_reason = choice.get("index") or 0, choice.get("finish_reason")
        self._messages.setdefault(index, StreamedMessage()).take(choice.get("delta") or {})
        if finish_reason is not None:
            await self._check(index, finish_reason)

    async def end(self) -> None:
        for index in self._messages:
            await self._check(index, None)

    async def _check(self, index: int, finish_reason: Any) -> None:
        """What is out cannot be repaired any more: anything but what is valid as it is is InvalidAnswer."""
        if index in self._checked:
            return
        self._checked.add(index)
        message = self._messages[index].message()
        # A call that went out as text is text.
        verdict = await self._guarded.check.of(message, finish_reason, reads_text=False)
        if not verdict.problems:  # who reads a call without an id could do so before
            needed = [each for each in verdict.repairs if each[1] != "incomplete_call"]
            problems = [(call, f"it needs a repair: {kind}") for call, kind in needed]
            verdict = replace(verdict, problems=problems)
        if verdict.problems:
            self._guarded.report.judged(index, 1, verdict)
            raise InvalidAnswer("in a stream that was passed on", verdict, self._guarded.closed_report())
