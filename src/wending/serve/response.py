"""How an answer goes out: whole, or as a stream of events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import Any, Protocol

from fastapi import Request
from fastapi.responses import Response

from wending.engine.client import CompletionDelta
from wending.serve.event_stream import EventStream
from wending.serve.hang_up import ClientHungUp, until_hang_up
from wending.serve.json_response import JSONResponse
from wending.serve.openai_errors import CLIENT_CLOSED_REQUEST
from wending.serve.sampling_fields import SamplingFields
from wending.serve.service import service_of
from wending.serve.taken_requests import TakenRequests
from wending.serve.tally import UsageInStream

Deltas = TakenRequests[CompletionDelta]


class Answer(Protocol):
    """Makes JSON of deltas."""

    async def whole(self, deltas: AsyncIterable[CompletionDelta]) -> dict[str, Any]:
        """The answer as one object."""

    def events(
        self, deltas: AsyncIterable[CompletionDelta], usage_in_stream: UsageInStream
    ) -> AsyncIterator[bytes]:
        """The answer as server-sent events, the first of which needs no delta."""


async def respond(request: Request, asked: SamplingFields, answer: Answer, deltas: Deltas) -> Response:
    """The answer in the form that the request asks for. If the client hangs up, `deltas` are closed."""
    service = service_of(request)
    if asked.stream:
        return EventStream(_events(answer, deltas, asked.usage_in_stream), service.stopping, service.ping_s)
    try:
        return JSONResponse(await until_hang_up(_whole(answer, deltas), request.receive, service.stopping))
    except ClientHungUp:
        return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _whole(answer: Answer, deltas: Deltas) -> dict[str, Any]:
    async with aclosing(deltas):
        return await answer.whole(deltas)


async def _events(
    answer: Answer, deltas: Deltas, usage_in_stream: UsageInStream
) -> AsyncGenerator[bytes, None]:
    async with aclosing(deltas):
        async for piece in answer.events(deltas, usage_in_stream):
            yield piece
