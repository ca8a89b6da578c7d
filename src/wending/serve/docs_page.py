"""GET /openapi.json, and GET /docs: the same document as a page that needs nothing from other hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.serve.json_response import JSONResponse
from wending.serve.openapi import openapi_document
from wending.serve.page import SECURITY_HEADERS

router = APIRouter(include_in_schema=False)

_TITLE = "wending API"


@router.get("/openapi.json")
async def openapi_json(request: Request) -> Response:
    return JSONResponse(openapi_document(request.app))


@router.get("/docs")
async def docs(request: Request) -> Response:
    page = docs_page(openapi_document(request.app))
    return Response(page, media_type="text/html; charset=utf-8", headers=SECURITY_HEADERS)


def docs_page(document: Mapping[str, Any]) -> str:
    """An HTML page with every operation of an OpenAPI document and the fields of its JSON body."""
    schemas = document["components"]["schemas"]
    sections = [
        section
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for section in _operation(method, path, operation)
    ]
    sections += [
        section
        for name, schema in schemas.items()
        for section in (f'<h2 id="{escape(name)}">{escape(name)}</h2>', *_fields(schema))
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{_TITLE}</title><link rel="icon" href="/web/icon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/web/theme.css"><link rel="stylesheet" href="/web/docs.css"></head>\n'
        f'<body class="docs"><h1>{_TITLE} {escape(document["info"]["version"])}</h1>\n'
        '<p>For programs: <a href="/openapi.json">/openapi.json</a></p>\n'
        + "\n".join(sections)
        + "\n</body>\n</html>\n"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    yield f"<p>{escape(operation['summary'])}</p>"
    content = operation.get("requestBody", {}).get("content", {})
    for body in content.values():
        yield from _fields(body["schema"])


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    """A table of an object's fields, those first that must be there; its type, if it is none."""
    if "properties" not in schema:
        yield f"<p>{_type(schema)}</p>"
        return
    required = schema.get("required", [])
    yield "<table><thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead><tbody>"
    for name, field in sorted(schema["properties"].items(), key=lambda item: item[0] not in required):
        mark = " <em>required</em>" if name in required else ""
        meaning = escape(field.get("description", ""))
        yield f"<tr><td><code>{escape(name)}</code>{mark}</td><td>{_type(field)}</td><td>{meaning}</td></tr>"
    yield "</tbody></table>"


def _type(schema: Mapping[str, Any]) -> str:
    """A schema's type in a few words, as HTML. null goes without saying."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    several = schema.get("anyOf") or schema.get("oneOf")
    if several:
        return " or ".join(_type(one) for one in several if one.get("type") != "null")
    if "const" in schema:
        return f"<code>{escape(str(schema['const']).lower())}</code>"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return "list of " + _type(schema.get("items", {}))
    return escape(kind if isinstance(kind, str) else " or ".join(kind))
