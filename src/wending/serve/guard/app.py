"""The guard as an application: the same errors, pages and server as with an engine, other endpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from wending.serve.api_keys import ApiKeys
from wending.serve.app import assemble
from wending.serve.guard import chat_endpoint, health_endpoint, models_endpoint
from wending.serve.guard.guard_service import GuardService


def create_guard_app(service: GuardService, keys: ApiKeys | None = None) -> FastAPI:
    """The application in front of `service.upstream`, which is closed with it. Without `keys` all may ask."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            service.stopping.set()
            await service.close()

    routers = (chat_endpoint.router, models_endpoint.router, health_endpoint.router)
    return assemble(lifespan, service, keys, *routers)
