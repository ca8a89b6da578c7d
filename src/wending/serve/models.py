"""GET /v1/models and /v1/models/{id}: what is served: one model. Aliases find it but are not listed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.engine.client import ModelInfo
from wending.serve.json_response import JSONResponse
from wending.serve.service import service_of

router = APIRouter()


@router.get("/v1/models", summary="What is served.")
async def list_models(request: Request) -> Response:
    info = service_of(request).ready_client().info
    return JSONResponse({"object": "list", "data": [_model(info)]})


@router.get("/v1/models/{name:path}", summary="One model, by its name or an alias.")
async def retrieve_model(request: Request, name: str) -> Response:
    service = service_of(request)
    info = service.ready_client().info
    service.check_model(name, info)
    return JSONResponse(_model(info))


def _model(info: ModelInfo) -> dict[str, Any]:
    return {
        "id": info.name,
        "object": "model",
        "created": info.created,
        "owned_by": "wending",
        "max_model_len": info.max_context,  # vLLM's
        # Not OpenAI's: what a client needs to name the demonstration model as such and to know its limits.
        "wending": {"demo": info.is_demo, "max_context": info.max_context, "precision": info.precision},
    }
