"""From a request of the API to the engine's deltas for one of its prompts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from wending.engine.client import CompletionDelta
from wending.engine.errors import EngineDead, InvalidRequest
from wending.engine.sampling_params import SamplingParams
from wending.serve.request_metrics import RequestMeter
from wending.serve.sampling_fields import SamplingFields
from wending.serve.service import Service


async def generate(
    service: Service,
    asked: SamplingFields,
    prompt_token_ids: list[int],
    params: SamplingParams,
    request_id: str,
    first_index: int = 0,
) -> AsyncGenerator[CompletionDelta, None]:
    """See EngineClient.generate; completions are numbered from `first_index`. InvalidRequest names a field of
    the API."""
    meter = RequestMeter(service.metrics, len(prompt_token_ids), params.n)
    deltas = service.ready_client().generate(prompt_token_ids, params, request_id, asked.urgency())
    try:
        async with aclosing(deltas):
            async for delta in deltas:
                meter.note(delta)
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
