"""Reads the body of a request as a JSON object, within limits of size, of parts and of time."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from fastapi import Request
from pydantic_core import from_json

from wending.serve.openai_errors import APIError

# Of a body that does nothing but err, each part costs some 10 microseconds and a kilobyte to refuse. So there
# may be as many as a long conversation has (4,096 messages of two fields, of a text part of two), and as many
# numbers as a prompt of token ids.
MAX_FIELDS = 1 << 15
MAX_VALUES = 1 << 18
MAX_UPLOAD_S = 120.0
MOST_DISCARDED = 8
"""A body that announces more than so many times the most is not let come: the connection is closed. Of
others the rest is read and forgotten, since a client that is still sending may miss its answer else."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # one without an end reaches to the end


async def read_json_object(request: Request, max_bytes: int) -> dict[str, Any]:
    """The body of `request`. APIError 413 above `max_bytes` or with too many fields or
    values, 408 if it does not come, 415 if not sent as JSON, 400 if it is none or has a field twice.

    The content type is insisted on because a browser asks leave before it sends JSON to another origin, but
    not before it sends a form: so no web page can make a visitor's own server work.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        message = f"The header 'Content-Type' must be 'application/json', got '{media_type}'."
        raise APIError(415, message, code="unsupported_media_type")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        message = f"The header 'Content-Encoding' must be 'identity' or absent, got '{encoding}'."
        raise APIError(415, message, code="unsupported_media_type")
    body = await _read(request, max_bytes)
    _check_parts(body)
    try:
        # NaN and Infinity are let in here, so that the validation can name the field that holds one.
        value = from_json(body, allow_inf_nan=True)
    except ValueError as error:
        raise APIError(400, f"The request body is not valid JSON: {error}.", code="invalid_json") from error
    if not isinstance(value, dict):
        raise APIError(400, "The request body must be a JSON object.", code="invalid_json")
    json.loads(body, object_pairs_hook=_check_names)
    return value


def _check_names(pairs: list[tuple[str, Any]]) -> None:
    """Raises APIError 400 for a field that an object has twice: whichever counted, one would be ignored."""
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise APIError(
                400, f"The field '{name[:200]}' is there twice.", param=name[:200], code="duplicate_field"
            )
        names.add(name)


async def _read(request: Request, max_bytes: int) -> bytes:
    too_large = APIError(413, f"The request body is larger than {max_bytes} bytes.", code="request_too_large")
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > max_bytes:
        if int(announced) > MOST_DISCARDED * max_bytes:
            too_large.headers["Connection"] = "close"
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(MAX_UPLOAD_S):
            async for part in request.stream():
                body += part
                if len(body) > max_bytes:  # a chunked body announces no length
                    raise too_large
    except TimeoutError:
        message = f"The request body was not complete after {MAX_UPLOAD_S:g} seconds."
        headers = {"Connection": "close"}
        raise APIError(408, message, code="request_timeout", headers=headers) from None
    return bytes(body)


def _check_parts(body: bytes) -> None:
    """Raises APIError 413 if the objects and fields, or the values, in `body` are too many to look at."""
    if _fits(body.count(b":") + body.count(b"{"), body.count(b",")):
        return  # the usual case; otherwise a text may have many commas, which do not count
    fields = values = end = 0
    for string in _STRING.finditer(body + b'""'):
        between = body[end : string.start()]
        if end and not between:
            return  # two strings in a row: this is not JSON, as the parser will say
        fields += between.count(b":") + between.count(b"{")
        values += between.count(b",")
        if not _fits(fields, values):
            raise APIError(
                413,
                f"The request body has more than {MAX_FIELDS} objects and fields or {MAX_VALUES} values.",
                code="request_too_large",
            )
        end = string.end()


def _fits(fields: int, values: int) -> bool:
    return fields <= MAX_FIELDS and values <= MAX_VALUES
