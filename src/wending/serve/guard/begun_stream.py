"""The upstream's stream, begun again as long as nothing of it was passed on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from wending.serve.guard.asking import in_words
from wending.serve.guard.guarded_answer import GuardedAnswer
from wending.serve.guard.upstream import UpstreamEvent
from wending.serve.guard.upstream_failure import UpstreamFailure, UpstreamRefusal


async def begun_stream(guarded: GuardedAnswer) -> AsyncGenerator[UpstreamEvent, None]:
    """The events of the upstream, of its first stream that says something."""
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
