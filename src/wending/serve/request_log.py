"""Gives each request its id and the log its line. Outermost of all, so that no answer goes without them."""

from __future__ import annotations

import logging

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wending.serve.openai_errors import as_api_error
from wending.serve.request_record import RequestRecord, new_record

logger = logging.getLogger("wending.requests")


class RequestLog:
    """Logs each request when it has ended, and answers what nothing else has answered with 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = new_record(scope)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = record.request_id
            elif message["type"] == "http.response.body":
                record.is_complete = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if record.status is not None:
                raise  # it is too late for another status; the server closes the connection
            await as_api_error(error).response()(scope, receive, send_with_id)
        finally:
            if not _is_routine(record):
                logger.info("request", extra={"fields": record.fields()})


def _is_routine(record: RequestRecord) -> bool:
    """Whether it is a look at the service's state that found it well: those come every few seconds."""
    return record.status == 200 and (record.path.startswith("/health") or record.path == "/metrics")
