"""A stream that goes to the client as it comes. JSON and calls are checked before their end is passed on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from wending.serve.event_stream import DONE, event
from wending.serve.guard.answer_chunks import report_chunk
from wending.serve.guard.asking import in_words
from wending.serve.guard.delta_message import add_delta
from wending.serve.guard.guarded_answer import GuardedAnswer
from wending.serve.guard.invalid_answer import InvalidAnswer
from wending.serve.guard.upstream import UpstreamEvent
from wending.serve.guard.upstream_failure import UpstreamFailure, UpstreamRefusal


async def passed_stream(guarded: GuardedAnswer) -> AsyncGenerator[bytes, None]:
    """The upstream's events, byte for byte. Raises APIError: InvalidAnswer for what was not asked for."""
    messages = _Messages(guarded) if guarded.request.is_judged else None
    chunk: dict[str, Any] = {}
    async with aclosing(_events(guarded)) as events:
        async for received in events:
            chunk = received.chunk
            if messages is not None:
                for choice in chunk.get("choices") or []:
                    await messages.take(choice)
            yield b"data: " + received.data.replace(b"\n", b"\ndata: ") + b"\n\n"
    if messages is not None:
        await messages.end()
    if guarded.wants_report:
        yield event(report_chunk(chunk, guarded.report_json()))
    yield DONE


class _Messages:
    """The message of each choice so far. It is checked when the choice, or else the stream, has ended."""

    def __init__(self, guarded: GuardedAnswer) -> None:
        self._guarded = guarded
        self._messages: dict[int, dict[str, Any]] = {}
        self._settled: set[int] = set()

    async def take(self, choice: Mapping[str, Any]) -> None:
        index, delta = choice.get("index") or 0, choice.get("delta") or {}
        add_delta(self._messages.setdefault(index, {}), delta)
        if choice.get("finish_reason") is not None:
            await self._check(index)

    async def end(self) -> None:
        for index in self._messages:
            await self._check(index)

    async def _check(self, index: int) -> None:
        """What is out cannot be repaired any more: what is not valid as it is is InvalidAnswer."""
        if index in self._settled:
            return
        self._settled.add(index)
        verdict = await self._guarded.check(self._messages[index])
        if verdict.message is None or verdict.repairs:
            problems = verdict.problems or tuple(f"it needs a repair: {kind}" for kind in verdict.repairs)
            verdict = replace(verdict, message=None, repairs=(), problems=problems)
            self._guarded.report.judged(index, 1, verdict)
            raise InvalidAnswer("in a stream that was passed on", verdict, self._guarded.closed_report())


async def _events(guarded: GuardedAnswer) -> AsyncGenerator[UpstreamEvent, None]:
    """The stream, begun again as long as nothing of it was passed on."""
    body = guarded.request.body
    while True:
        begun = False
        try:
            async with aclosing(_with_its_first_token(guarded, body)) as events:
                async for received in events:
                    begun = True
                    yield received
            return
        except UpstreamFailure as failure:
            if begun:
                raise failure.error from failure
            try:
                await guarded.retries.pause_after(failure)
            except UpstreamRefusal as refusal:
                if guarded.request.schema is None or not refusal.names_response_format():
                    raise
                if guarded.report.format_in_words:
                    raise
                guarded.report.format_in_words = True
                body = in_words(body, guarded.request.schema)


async def _with_its_first_token(
    guarded: GuardedAnswer, body: Mapping[str, Any]
) -> AsyncGenerator[UpstreamEvent, None]:
    """What comes before the first token waits for it: until then the request can be repeated unseen."""
    waiting: list[UpstreamEvent] | None = []
    async with aclosing(guarded.service.upstream.events(body)) as events:
        async for received in events:
            if waiting is not None:
                waiting.append(received)
                if not _says_something(received.chunk):
                    continue
                guarded.report.asked += 1
                for held in waiting:
                    yield held
                waiting = None
            else:
                yield received
    for held in waiting or ():
        yield held


def _says_something(chunk: Mapping[str, Any]) -> bool:
    """Whether it holds anything but the role: text, a tool call, an end, or what only the upstream knows."""
    for choice in chunk.get("choices") or []:
        delta = choice.get("delta") or {}
        if choice.get("finish_reason") is not None or any(
            value for name, value in delta.items() if name != "role"
        ):
            return True
    return False
