"""The OpenAPI document: routes from the application, bodies from the models that check them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

_SCHEMAS = "#/components/schemas/"

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "What is wrong, with the value."},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"], "description": "The field at fault."},
                "code": {"type": ["string", "null"], "description": "The kind of error, for programs."},
            },
        }
    },
}


def request_body(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route whose JSON body is checked by `model`."""
    schema = model.model_json_schema(ref_template=_SCHEMAS + "{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document of all routes of `app` that are part of the API."""
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas: dict[str, Any] = {"Error": _ERROR}
    for operations in document["paths"].values():
        for operation in operations.values():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            schemas |= body.get("schema", {}).pop("$defs", {})
            operation["responses"].pop("422", None)  # FastAPI's own validation is not in use
            error = {"application/json": {"schema": {"$ref": _SCHEMAS + "Error"}}}
            operation["responses"] |= {
                "4XX": {"description": "The request cannot be honoured.", "content": error},
                "5XX": {"description": "The service cannot answer, now or at all.", "content": error},
            }
    document["components"] = {"schemas": schemas}
    return document
