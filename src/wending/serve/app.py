"""Puts the service together: routes, error handling, and the engine's life within the application's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware

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
from wending.serve.api_keys import ApiKeys
from wending.serve.conversation_settings import ConversationSettings
from wending.serve.gate import Gate
from wending.serve.hosted import Hosted
from wending.serve.http_metrics import CountRequests
from wending.serve.openai_errors import install_error_handlers
from wending.serve.operations import Operations
from wending.serve.page import page_router
from wending.serve.request_log import RequestLog
from wending.serve.responses import responses_endpoint
from wending.serve.service import DefaultsOf, Service

logger = logging.getLogger(__name__)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    client: EngineClient | None = None,
    *,
    aliases: Collection[str] = (),
    operations: Operations | None = None,
    keys: ApiKeys | None = None,
    generation_config: DefaultsOf = "none",
    conversation: ConversationSettings | None = None,
) -> FastAPI:
    """The application, at once able to say that it is starting.

    `client` is started with the application. Without it, the caller hands one to `app.state.service.attach`
    when it has loaded. Either way it is closed with the application. `aliases` are further names by which
    requests may call the model. Without `keys` everybody may ask. `generation_config`: whose sampling values
    count where a request has none; `conversation` is for requests that do not say it themselves.
    """
    service = Service(aliases, operations, generation_config, conversation)

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

    app = assemble(
        lifespan,
        service,
        keys,
        *(chat_completions.router, text_completions.router, responses_endpoint.router),
        *(tokenize.router, embeddings.router),
        *(models.router, health.router, metrics.router, docs_page.router),
    )
    app.add_middleware(CountRequests, counts=service.http_requests)
    return app


def assemble(lifespan: Lifespan, service: Hosted, keys: ApiKeys | None, *routers: APIRouter) -> FastAPI:
    """An application of these endpoints and of what every one of ours has: the gate, OpenAI's errors and the
    page. `service` is its `state.service`. Without `keys` everybody may ask."""
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
    app.state.service = service
    _add_middleware(app, service, keys or ApiKeys())
    for router in (*routers, page_router()):
        app.include_router(router)
    return app


def _add_middleware(app: FastAPI, service: Hosted, keys: ApiKeys) -> None:
    """From the inside out. A browser's question whether a page may ask (CORS) comes without a key."""
    app.add_middleware(Gate, service=service, keys=keys)
    if service.operations.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=service.operations.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["X-Request-Id", "Retry-After", "X-Wending-Dropped-Turns"],
        )
    app.add_middleware(RequestLog)


async def _attach(service: Service, client: EngineClient) -> None:
    try:
        await service.attach(client)
    except Exception:
        logger.exception("the engine could not be started")  # /health gives the reason too
