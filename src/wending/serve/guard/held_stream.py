"""A stream whose text is withheld until it is valid: pings, then the whole answer in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from wending.serve.event_stream import DONE, event
from wending.serve.guard.answer_chunks import answer_chunks, report_chunk
from wending.serve.guard.guarded_answer import GuardedAnswer

PING = b": ping\n\n"  # a comment: clients skip it, and proxies see that the connection lives
PING_INTERVAL_S = 15.0


async def held_stream(guarded: GuardedAnswer) -> AsyncGenerator[bytes, None]:
    """The events of an answer, all at once when it is there. Raises APIError as `whole` does."""
    working = asyncio.create_task(guarded.whole())
    try:
        while not (await asyncio.wait({working}, timeout=PING_INTERVAL_S))[0]:
            yield PING
        answer = working.result()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    chunks = list(answer_chunks(answer, guarded.request.include_usage))
    if guarded.wants_report:
        chunks.append(report_chunk(answer, guarded.report_json()))
    yield b"".join(map(event, chunks)) + DONE
