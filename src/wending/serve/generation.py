"""From an endpoint to the engine: with the server's deadline, and counted for the request's log."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from fastapi import Request

from wending.engine.client import CompletionDelta, EngineClient
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency
from wending.serve.request_record import record_of
from wending.serve.service import service_of


async def generate(
    request: Request,
    client: EngineClient,
    prompt_token_ids: list[int],
    params: SamplingParams,
    request_id: str,
    urgency: Urgency,
) -> AsyncGenerator[CompletionDelta, None]:
    """`client.generate` for an HTTP request; everything else is as said there."""
    operations = service_of(request).operations
    if urgency.deadline_s is None:
        urgency = replace(urgency, deadline_s=operations.deadline_s)
    record = record_of(request)
    record.prompt_tokens = len(prompt_token_ids)
    if operations.log_prompts:
        record.prompt = client.decode(prompt_token_ids)
    async with aclosing(client.generate(prompt_token_ids, params, request_id, urgency)) as deltas:
        async for delta in deltas:
            record.add(delta)
            yield delta
