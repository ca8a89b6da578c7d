"""Puts the service together: routes, error handling, and the engine's life within the application's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from fastapi import FastAPI

from wending import __version__
from wending.engine.client import EngineClient
from wending.serve import (
    chat_completions,
    docs_page,
    embeddings,
    health,
    metrics,
    models,
    text_completions,
    tokenize,
)
from wending.serve.http_metrics import CountRequests
from wending.serve.openai_errors import install_error_handlers
from wending.serve.page import page_router
from wending.serve.service import DEFAULT_MAX_BODY_BYTES, DefaultsOf, Service

logger = logging.getLogger(__name__)


def create_app(
    client: EngineClient | None = None,
    *,
    aliases: Collection[str] = (),
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    generation_config: DefaultsOf = "none",
) -> FastAPI:
    """The application, at once able to say that it is starting.

    `client` is started with the application. Without it, the caller hands one to `app.state.service.attach`
    when it has loaded. Either way it is closed with the application. `aliases` are further names by which
    requests may call the model. `generation_config`: whose sampling values count where a request has none.
    """
    service = Service(aliases, max_body_bytes, generation_config)

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

    app = FastAPI(
        title="wending",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    install_error_handlers(app)
    app.add_middleware(CountRequests, counts=service.http_requests)
    for router in (
        *(chat_completions.router, text_completions.router, tokenize.router, models.router, health.router),
        *(embeddings.router, metrics.router, docs_page.router, page_router()),
    ):
        app.include_router(router)
    return app


async def _attach(service: Service, client: EngineClient) -> None:
    try:
        await service.attach(client)
    except Exception:
        logger.exception("the engine could not be started")  # /health gives the reason too
