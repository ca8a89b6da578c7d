"""Reads the body of a request as a JSON object, within a size limit."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from pydantic_core import from_json

from wending.serve.openai_errors import APIError


async def read_json_object(request: Request, max_bytes: int) -> dict[str, Any]:
    """The body of `request`. APIError 413 above `max_bytes`, 415 if not sent as JSON, 400 if it is none.

    The content type is insisted on because a browser asks leave before it sends JSON to another origin, but
    not before it sends a form: so no web page can make a visitor's own server work.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        message = f"The header 'Content-Type' must be 'application/json', got '{media_type}'."
        raise APIError(415, message, code="unsupported_media_type")
    body = await _read(request, max_bytes)
    try:
        # NaN and Infinity are let in here, so that the validation can name the field that holds one.
        value = from_json(body, allow_inf_nan=True)
    except ValueError as error:
        raise APIError(400, f"The request body is not valid JSON: {error}.", code="invalid_json") from error
    if not isinstance(value, dict):
        raise APIError(400, "The request body must be a JSON object.", code="invalid_json")
    return value


async def _read(request: Request, max_bytes: int) -> bytes:
    too_large = APIError(413, f"The request body is larger than {max_bytes} bytes.", code="request_too_large")
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > max_bytes:
        raise too_large
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:  # a chunked body announces no length
            raise too_large
    return bytes(body)
