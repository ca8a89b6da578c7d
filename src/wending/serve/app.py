"""Puts the service together: routes, error handling, and the engine's life within the application's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI

from wending import __version__
from wending.engine.client import EngineClient
from wending.serve import chat_completions, health, models
from wending.serve.openai_errors import install_error_handlers
from wending.serve.page import page_router
from wending.serve.service import DEFAULT_MAX_BODY_BYTES, Service

logger = logging.getLogger(__name__)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    client: EngineClient | None = None,
    *,
    aliases: Collection[str] = (),
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
) -> FastAPI:
    """The application, at once able to say that it is starting.

    `client` is started with the application. Without it, the caller hands one to `app.state.service.attach`
    when it has loaded. Either way it is closed with the application. `aliases` are further names by which
    requests may call the model.
    """
    service = Service(aliases, max_body_bytes)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        attaching = asyncio.create_task(_attach(service, client)) if client is not None else None
        try:
            yield
        finally:
            service.stopping.set()
            if attaching is not None:
                attaching.cancel()
                await asyncio.gather(attaching, return_exceptions=True)
            await service.close()

    app = assemble(lifespan, chat_completions.router, models.router, health.router)
    app.state.service = service
    return app


def assemble(lifespan: Lifespan, *routers: APIRouter) -> FastAPI:
    """An application of these endpoints and of what every one of ours has: OpenAI's errors and the page."""
    app = FastAPI(
        title="wending",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    install_error_handlers(app)
    for router in (*routers, page_router()):
        app.include_router(router)
    return app


async def _attach(service: Service, client: EngineClient) -> None:
    try:
        await service.attach(client)
    except Exception:
        logger.exception("the engine could not be started")  # /health gives the reason too
