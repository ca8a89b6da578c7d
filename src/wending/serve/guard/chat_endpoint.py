"""POST /v1/chat/completions in front of an upstream."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.serve.event_stream import EventStream
from wending.serve.guard.answer_schema import InvalidSchema
from wending.serve.guard.guard_request import GuardRequest
from wending.serve.guard.guard_service import GuardService, guard_service_of
from wending.serve.guard.guarded_answer import GuardedAnswer
from wending.serve.guard.held_calls import stream_holding_calls
from wending.serve.guard.held_stream import held_stream
from wending.serve.guard.passed_stream import passed_stream
from wending.serve.hang_up import ClientHungUp, until_hang_up
from wending.serve.json_body import read_json_object
from wending.serve.json_response import JSONResponse
from wending.serve.openai_errors import CLIENT_CLOSED_REQUEST, APIError

router = APIRouter()


@router.post("/v1/chat/completions")
async def create_chat_completion(request: Request) -> Response:
    service = guard_service_of(request)
    body = await read_json_object(request, service.max_body_bytes)
    if service.settings.model is not None:
        body.setdefault("model", service.settings.model)
        service.check_model(body["model"])
    asked = GuardRequest.parse(body, request.headers)
    await _check_schemas(service, asked)
    guarded = GuardedAnswer(service, asked)
    if asked.stream:
        return EventStream(_events(guarded), service.stopping, service.ping_s)
    try:
        return JSONResponse(await until_hang_up(guarded.whole(), request.receive, service.stopping))
    except ClientHungUp:
        return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _check_schemas(service: GuardService, asked: GuardRequest) -> None:
    """Raises APIError 400 if a schema is none: no model need be asked for what cannot be checked."""
    schemas = {} if asked.tools is None else dict(asked.tools.by_field)
    if asked.schema is not None:
        schemas["response_format.json_schema.schema"] = asked.schema
    for param, schema in schemas.items():
        try:
            await service.judge.check_schema(schema)
        except InvalidSchema as error:
            message = f"Invalid value for '{param}' at '{error.pointer}': {error.reason}."
            raise APIError(400, message, param=param, code="invalid_json_schema") from error


def _events(guarded: GuardedAnswer) -> AsyncGenerator[bytes, None]:
    if guarded.request.is_held:
        return held_stream(guarded)
    return stream_holding_calls(guarded) if guarded.request.holds_calls else passed_stream(guarded)
