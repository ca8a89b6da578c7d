"""GET /health: 200 only while the upstream says that it can answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.serve.guard.guard_service import GuardService, guard_service_of
from wending.serve.guard.models_endpoint import upstream_models
from wending.serve.guard.upstream_failure import UpstreamFailure
from wending.serve.json_response import JSONResponse

router = APIRouter()


@router.get("/health")
async def health(request: Request) -> Response:
    service = guard_service_of(request)
    if service.stopping.is_set():
        return JSONResponse({"status": "stopping", "reason": "The server is shutting down."}, 503)
    try:
        problem = await upstream_problem(service)
    except UpstreamFailure as error:
        problem = {"status": "failed", "reason": error.error.message}
    if problem is not None:
        return JSONResponse(problem | {"upstream": service.upstream.url}, 503)
    return JSONResponse({"status": "ok", "upstream": service.upstream.url})


async def upstream_problem(service: GuardService) -> dict[str, Any] | None:
    """Why the upstream cannot answer now; None if it can. Raises UpstreamFailure if it cannot be asked.

    Its own /health is believed where it has one, as vLLM, SGLang, llama-server and this server do. Others,
    such as Ollama and cloud APIs, are well if they list their models.
    """
    status, answer = await service.upstream.get(service.upstream.origin + "/health")
    if status == 200:
        return None
    if status < 500:
        await upstream_models(service)
        return None
    said = answer if isinstance(answer, dict) else {}
    passing = said.get("status") if said.get("status") in ("starting", "restarting") else "failed"
    reason = said.get("reason") or f"its /health answers {status}"
    return {"status": passing, "reason": f"The upstream is not ready: {reason}"}
