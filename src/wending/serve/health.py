"""GET /health: 200 only while the engine can answer, which its process has shown by producing a token."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.serve.json_response import JSONResponse
from wending.serve.service import STARTING_RETRY_AFTER_S, service_of

router = APIRouter()


@router.get("/health")
async def health(request: Request) -> Response:
    service = service_of(request)
    status, reason = service.status()
    if service.client is None or status != "ok":
        passes = status in ("starting", "restarting")
        headers = {"Retry-After": str(STARTING_RETRY_AFTER_S)} if passes else {}
        return JSONResponse({"status": status, "reason": reason}, 503, headers)
    stats = service.client.stats()
    last_token = stats.last_token_monotonic
    last_token_age = None if last_token is None else round(time.monotonic() - last_token, 3)
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
            "seconds_since_last_token": last_token_age,
        }
    )
