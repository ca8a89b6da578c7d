"""Errors in OpenAI's form, {"error": {"message", "type", "param", "code"}}, for all that can go wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from wending.engine.errors import EngineDead, InvalidRequest, Overloaded
from wending.serve.json_response import JSONResponse

logger = logging.getLogger(__name__)

OVERLOADED_RETRY_AFTER_S = 10
CLIENT_CLOSED_REQUEST = 499  # nobody reads this status; access logs show it


class APIError(Exception):
    """A request that is answered by an error. Carries everything the answer needs."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def rename(self, param: str) -> None:
        """Call the field at fault so, in the message too."""
        self.message = self.message.replace(f"'{self.param}'", f"'{param}'")
        self.param = param or None

    def body(self) -> dict[str, Any]:
        """The JSON object of this error, which is the same in a stream and as a whole answer."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def response(self) -> Response:
        return JSONResponse(self.body(), self.status, self.headers)


def invalid_value(param: str, message: str, code: str = "invalid_value") -> APIError:
    """400 for a field whose value cannot be honoured; `message` says why, with the value."""
    return APIError(400, f"Invalid value for '{param}': {message}.", param=param, code=code)


def unavailable(message: str, code: str, retry_after_s: int | None = None) -> APIError:
    """503: nothing is wrong with the request, but it cannot be answered now."""
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return APIError(503, message, type="server_error", code=code, headers=headers)


def overloaded(error: Overloaded) -> APIError:
    """429: as many requests are in flight as can wait."""
    return APIError(
        429,
        f"The server is overloaded: {error}.",
        type="rate_limit_error",
        code="overloaded",
        headers={"Retry-After": str(OVERLOADED_RETRY_AFTER_S)},
    )


def as_api_error(error: Exception) -> APIError:
    """Any exception as the error that a client may see. What is unexpected is logged, not shown."""
    match error:
        case APIError():
            return error
        case InvalidRequest():
            return _invalid_request(error)
        case EngineDead():
            return unavailable(f"The engine has stopped: {error}", "engine_dead")
        case Overloaded():
            return overloaded(error)
        case HTTPException():
            return APIError(error.status_code, str(error.detail), headers=error.headers)
        case _:
            logger.error("unexpected error while answering a request", exc_info=error)
            message = "The server failed to answer this request."
            return APIError(500, message, type="server_error", code="internal_error")


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of the application in OpenAI's form, those of routing (404, 405) included."""

    async def answer(_request: Request, error: Exception) -> Response:
        return as_api_error(error).response()

    async def unknown_url(request: Request, _error: Exception) -> Response:
        message = f"Unknown request URL: {request.method} {request.url.path}."
        return APIError(404, message, code="unknown_url").response()

    async def wrong_method(request: Request, error: Exception) -> Response:
        headers = error.headers if isinstance(error, HTTPException) else None
        message = f"Method {request.method} is not allowed for {request.url.path}."
        return APIError(405, message, code="method_not_allowed", headers=headers).response()

    async def hung_up(_request: Request, _error: Exception) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    app.add_exception_handler(404, unknown_url)
    app.add_exception_handler(405, wrong_method)
    app.add_exception_handler(ClientDisconnect, hung_up)  # in the middle of the body
    for kind in (APIError, InvalidRequest, EngineDead, Overloaded, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


def _invalid_request(error: InvalidRequest) -> APIError:
    param = error.field
    if error.code == "context_length_exceeded":
        # Client libraries look for these first words.
        message = f"This model's maximum context length is exceeded: '{param}' {error.message}."
        return APIError(400, message, param=param, code=error.code)
    return invalid_value(param, error.message, error.code or "invalid_value")
