"""Whether the service lives, whether it takes requests, and how the engine is.

GET /health: 200 only while the engine can answer, which its process has shown by producing a token.
GET /health/ready: 200 while requests are taken, those that wait for a restart of the engine among them.
GET /health/live: 200 as long as this process answers at all.
"""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.serve.json_response import JSONResponse
from wending.serve.service import STARTING_RETRY_AFTER_S, Service, Status, service_of

LATELY_S = 60.0

router = APIRouter()


@router.get("/health", summary="Whether the engine makes tokens, and its state.")
async def health(request: Request) -> Response:
    service = service_of(request)
    status, reason = service.status()
    if service.client is None or status != "ok":
        return _unavailable(status, reason)
    stats = service.client.stats()
    last_token = stats.last_token_monotonic
    age_s = None if last_token is None else round(time.monotonic() - last_token, 3)
    return JSONResponse(
        {
            "status": status,
            "model": service.client.info.name,
            "running": stats.running,
            "waiting": stats.waiting,
            "kv_blocks_used": stats.kv_blocks_used,
            "kv_blocks_total": stats.kv_blocks_total,
            "tokens_generated_total": stats.tokens_generated_total,
            "preemptions_total": stats.preemptions_total,
            "kv_blocks_cached": stats.kv_blocks_cached,
            "cached_tokens_total": stats.cached_tokens_total,
            "tokens_drafted_total": stats.tokens_drafted_total,
            "drafts_accepted_total": stats.drafts_accepted_total,
            "restarts_total": stats.restarts_total,
            "seconds_since_last_token": age_s,
            "produced_lately": age_s is not None and age_s <= LATELY_S,
            "producing_now": stats.running > 0,
        }
    )


@router.get("/health/ready", summary="Whether requests are taken.")
async def ready(request: Request) -> Response:
    service = service_of(request)
    status, reason = service.status()
    return JSONResponse({"status": status}) if _takes_requests(service) else _unavailable(status, reason)


@router.get("/health/live", summary="Whether the service answers at all.")
async def live() -> Response:
    return JSONResponse({"status": "live"})


def _takes_requests(service: Service) -> bool:
    return service.client is not None and service.status()[0] in ("ok", "restarting")


def _unavailable(status: Status, reason: str) -> Response:
    passes = status in ("starting", "restarting")
    headers = {"Retry-After": str(STARTING_RETRY_AFTER_S)} if passes else {}
    return JSONResponse({"status": status, "reason": reason}, 503, headers)
