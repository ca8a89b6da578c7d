"""POST /v1/chat/completions: from the request to the engine, and from its deltas to the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.engine.client import CompletionDelta, EngineClient
from wending.serve.chat_answer import ChatAnswer
from wending.serve.chat_request import ChatRequest
from wending.serve.checked_answer import checked
from wending.serve.event_stream import EventStream
from wending.serve.generation import generate
from wending.serve.hang_up import ClientHungUp, until_hang_up
from wending.serve.json_body import read_json_object
from wending.serve.json_response import JSONResponse
from wending.serve.openai_errors import CLIENT_CLOSED_REQUEST
from wending.serve.service import service_of, system_fingerprint

router = APIRouter()

# Tokenising a long conversation takes longer than other requests may be kept waiting; for a short one,
# handing it to a thread costs more than the work.
LONG_CONVERSATION_CHARACTERS = 4096
_tokenizer_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="tokenizer")


@router.post("/v1/chat/completions")
async def create_chat_completion(request: Request) -> Response:
    service = service_of(request)
    client = service.ready_client()
    chat = ChatRequest.parse(await read_json_object(request, service.max_body_bytes))
    service.check_model(chat.model, client.info)
    params, urgency = chat.sampling_params(), chat.urgency()
    prompt_token_ids = await _encode(client, chat.template_messages())
    answer = ChatAnswer(client.info.name, system_fingerprint(client.info), len(prompt_token_ids), params.n)
    deltas = generate(request, client, prompt_token_ids, params, answer.id, urgency)
    if params.constraint is not None:
        deltas = checked(deltas, params.constraint)
    if chat.stream:
        include_usage = chat.stream_options is not None and chat.stream_options.include_usage
        return EventStream(_events(answer, deltas, include_usage), service.stopping)
    try:
        return JSONResponse(await until_hang_up(_whole(answer, deltas), request.receive, service.stopping))
    except ClientHungUp:
        return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _encode(client: EngineClient, messages: list[dict[str, Any]]) -> list[int]:
    if sum(len(message["content"]) for message in messages) < LONG_CONVERSATION_CHARACTERS:
        return client.encode_chat(messages)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_tokenizer_threads, client.encode_chat, messages)


async def _whole(answer: ChatAnswer, deltas: AsyncGenerator[CompletionDelta, None]) -> dict[str, Any]:
    async with aclosing(deltas):
        return await answer.whole(deltas)


async def _events(
    answer: ChatAnswer, deltas: AsyncGenerator[CompletionDelta, None], include_usage: bool
) -> AsyncGenerator[bytes, None]:
    async with aclosing(deltas):
        async for piece in answer.events(deltas, include_usage):
            yield piece
