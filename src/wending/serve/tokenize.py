"""POST /tokenize and POST /detokenize, in vLLM's form: what a text or conversation is to the model."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.engine.client import EngineClient
from wending.serve.in_thread import in_thread_if_long
from wending.serve.json_body import read_json_object
from wending.serve.json_response import JSONResponse
from wending.serve.openapi import request_body
from wending.serve.service import service_of
from wending.serve.tokenize_request import DetokenizeRequest, TokenizeRequest
from wending.serve.tool_messages import in_order_of_calls
from wending.serve.vocabulary import check_token_ids

router = APIRouter()


@router.post(
    "/tokenize", summary="The tokens of a text or conversation.", openapi_extra=request_body(TokenizeRequest)
)
async def tokenize_text(request: Request) -> Response:
    service = service_of(request)
    client = service.ready_client()
    asked = TokenizeRequest.parse(await read_json_object(request, service.max_body_bytes))
    if asked.model is not None:
        service.check_model(asked.model, client.info)
    tokens = await _tokens(client, asked)
    answer: dict[str, Any] = {
        "count": len(tokens),
        "max_model_len": client.info.max_context,
        "tokens": tokens,
    }
    if asked.return_token_strs:
        answer["token_strs"] = [client.decode([token_id]) for token_id in tokens]
    return JSONResponse(answer)


@router.post(
    "/detokenize", summary="The visible text of tokens.", openapi_extra=request_body(DetokenizeRequest)
)
async def detokenize(request: Request) -> Response:
    service = service_of(request)
    client = service.ready_client()
    asked = DetokenizeRequest.parse(await read_json_object(request, service.max_body_bytes))
    if asked.model is not None:
        service.check_model(asked.model, client.info)
    check_token_ids("tokens", asked.tokens, client.info)
    return JSONResponse({"prompt": await in_thread_if_long(len(asked.tokens), client.decode, asked.tokens)})


async def _tokens(client: EngineClient, asked: TokenizeRequest) -> list[int]:
    if asked.prompt is not None:
        return await in_thread_if_long(len(asked.prompt), client.encode, asked.prompt)
    messages = [message.for_template() for message in in_order_of_calls(asked.messages or [])]
    tools = [tool.for_template() for tool in asked.tools or ()] or None
    characters = sum(len(message["content"]) for message in messages) + len(orjson.dumps(tools))
    continues = bool(asked.continue_final_message)
    encode = partial(client.encode_chat, tools=tools, continue_final_message=continues)
    return await in_thread_if_long(characters, encode, messages)
