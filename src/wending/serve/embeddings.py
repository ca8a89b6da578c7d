"""POST /v1/embeddings: the model's final hidden state at the last token of each input, or the mean over all
of them, made unit length."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from numpy.typing import NDArray

from wending.engine.client import CompletionDelta, EngineClient
from wending.engine.errors import InvalidRequest
from wending.engine.sampling_params import Pooling, SamplingParams
from wending.serve.embedding_request import EmbeddingRequest
from wending.serve.hang_up import ClientHungUp, until_hang_up
from wending.serve.json_body import read_json_object
from wending.serve.json_response import JSONResponse
from wending.serve.openai_errors import CLIENT_CLOSED_REQUEST
from wending.serve.openapi import request_body
from wending.serve.prompts import prompt_token_ids
from wending.serve.service import service_of
from wending.serve.taken_requests import TakenRequests
from wending.serve.tally import Tally

router = APIRouter()


@router.post("/v1/embeddings", summary="Vectors of texts.", openapi_extra=request_body(EmbeddingRequest))
async def create_embeddings(request: Request) -> Response:
    service = service_of(request)
    client = service.ready_client()
    asked = EmbeddingRequest.parse(await read_json_object(request, service.max_body_bytes))
    service.check_model(asked.model, client.info)
    prompts = [await prompt_token_ids(client, "input", prompt) for prompt in asked.input]
    request_id = f"embd-{uuid.uuid4().hex}"
    params = _params(asked.pooling or "last")
    deltas = await TakenRequests.begin(
        [
            _read(client, prompt, params, f"{request_id}-{index}", index)
            for index, prompt in enumerate(prompts)
        ]
    )
    tallies = [Tally(len(prompt)) for prompt in prompts]
    try:
        vectors = await until_hang_up(_vectors(deltas, tallies), request.receive, service.stopping)
    except ClientHungUp:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    count = sum(tally.prompt_tokens for tally in tallies)
    return JSONResponse(
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": _encoded(vector, asked.encoding_format)}
                for index, vector in enumerate(vectors)
            ],
            "model": client.info.name,
            "usage": {"prompt_tokens": count, "total_tokens": count},
        }
    )


def _params(pooling: Pooling) -> SamplingParams:
    """A prompt is read to its end when a token is generated; which one it is does not matter."""
    return SamplingParams(temperature=0.0, max_tokens=1, ignore_eos=True, seed=0, hidden_state=pooling)


async def _read(
    client: EngineClient, prompt: list[int], params: SamplingParams, request_id: str, index: int
) -> AsyncGenerator[CompletionDelta, None]:
    """The deltas of one input, under its index."""
    try:
        async with aclosing(client.generate(prompt, params, request_id)) as deltas:
            async for delta in deltas:
                yield msgspec.structs.replace(delta, index=index)
    except InvalidRequest as error:
        error.field = "input"
        raise


async def _vectors(deltas: TakenRequests[CompletionDelta], tallies: list[Tally]) -> list[NDArray[np.float32]]:
    """The vector of each input. Raises APIError if one has failed."""
    vectors: dict[int, NDArray[np.float32]] = {}
    async with aclosing(deltas):
        async for delta in deltas:
            tallies[delta.index].add(delta)
            if delta.hidden_state is not None:
                vectors[delta.index] = _unit_length(np.frombuffer(delta.hidden_state, np.float32))
    return [vectors[index] for index in range(len(tallies))]


def _unit_length(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    wide = vector.astype(np.float64)
    return (wide / max(float(np.linalg.norm(wide)), 1e-30)).astype(np.float32)


def _encoded(vector: NDArray[np.float32], encoding_format: str | None) -> Any:
    if encoding_format == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return vector.tolist()
