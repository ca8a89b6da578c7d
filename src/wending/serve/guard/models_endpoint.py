"""GET /v1/models and /v1/models/{id}: what the upstream has, or the one model that this server is set to."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.serve.guard.guard_service import GuardService, guard_service_of
from wending.serve.guard.upstream_failure import UpstreamFailure, failure
from wending.serve.json_response import JSONResponse
from wending.serve.openai_errors import APIError

router = APIRouter()


@router.get("/v1/models")
async def list_models(request: Request) -> Response:
    return JSONResponse({"object": "list", "data": await _models(guard_service_of(request))})


@router.get("/v1/models/{name:path}")
async def retrieve_model(request: Request, name: str) -> Response:
    for model in await _models(guard_service_of(request)):
        if model["id"] == name:
            return JSONResponse(model)
    raise APIError(404, f"The model '{name[:200]}' does not exist.", param="model", code="model_not_found")


async def _models(service: GuardService) -> list[dict[str, Any]]:
    """Raises APIError if the upstream does not list its models, unless it is known which one is served."""
    only = service.settings.model
    try:
        models = await upstream_models(service)
    except UpstreamFailure as error:
        if only is None:
            raise error.error from error
        models = []
    if only is None:
        return models
    return [model for model in models if model["id"] == only] or [{"id": only, "object": "model"}]


async def upstream_models(service: GuardService) -> list[dict[str, Any]]:
    """The upstream's models as it describes them. Raises UpstreamFailure."""
    status, answer = await service.upstream.get(service.upstream.url + "/models")
    if status != 200:
        raise failure(f"does not list its models (status {status})", "upstream_error", may_repeat=True)
    models = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(models, list):
        raise failure("does not list its models as OpenAI does", "invalid_upstream_answer", may_repeat=False)
    return [model for model in models if isinstance(model, dict) and isinstance(model.get("id"), str)]
