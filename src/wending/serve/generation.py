"""From a request of the API to the engine's deltas for one of its prompts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import msgspec
from fastapi import Request

from wending.engine.client import CompletionDelta
from wending.engine.errors import EngineDead, InvalidRequest
from wending.engine.sampling_params import SamplingParams
from wending.serve.checked_answer import checked
from wending.serve.request_metrics import RequestMeter
from wending.serve.request_record import record_of
from wending.serve.sampling_fields import SamplingFields
from wending.serve.service import service_of


async def generate(
    request: Request,
    asked: SamplingFields,
    prompt_token_ids: list[int],
    params: SamplingParams,
    request_id: str,
    first_index: int = 0,
) -> AsyncGenerator[CompletionDelta, None]:
    """See EngineClient.generate; completions are numbered from `first_index`. InvalidRequest names a field of
    the API. The server's deadline counts where the request has none; the request's log and the metrics are
    kept. What had to keep to a form is validated: APIError 500."""
    service, record, urgency = service_of(request), record_of(request), asked.urgency()
    if urgency.deadline_s is None:
        urgency = replace(urgency, deadline_s=service.operations.deadline_s)
    client = service.ready_client()
    record.prompt_tokens = (record.prompt_tokens or 0) + len(prompt_token_ids)
    if service.operations.log_prompts:
        record.prompt = (record.prompt or "") + client.decode(prompt_token_ids)
    meter = RequestMeter(service.metrics, len(prompt_token_ids), params.n)
    deltas = client.generate(prompt_token_ids, params, request_id, urgency)
    if params.constraint is not None:
        deltas = checked(deltas, params.constraint)
    try:
        async with aclosing(deltas):
            async for delta in deltas:
                meter.note(delta)
                record.add(delta)
                yield (
                    msgspec.structs.replace(delta, index=first_index + delta.index) if first_index else delta
                )
    except InvalidRequest as error:
        error.field = asked.param_of(error.field)
        raise
    except EngineDead:
        meter.end("error")
        raise
    except (GeneratorExit, asyncio.CancelledError):
        meter.end("abort")
        raise
