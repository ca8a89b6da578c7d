from __future__ import annotations

import json
import re
from typing import Any

import httpx
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from wending.serve.docs_page import docs_page

API = (
    "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/models", "/v1/models/{name}",
    "/tokenize", "/detokenize", "/health", "/health/ready", "/health/live", "/metrics",
)  # fmt: skip


async def document(http: httpx.AsyncClient) -> dict[str, Any]:
    response = await http.get("/openapi.json")
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


async def test_every_endpoint_is_there_and_no_page(http: httpx.AsyncClient) -> None:
    found = await document(http)
    assert found["openapi"].startswith("3.1")
    assert set(API) <= found["paths"].keys()
    assert not any(path.startswith(("/web", "/docs")) or path == "/" for path in found["paths"])
    for operations in found["paths"].values():
        for operation in operations.values():
            assert operation["summary"].endswith(".")
            assert operation["responses"].keys() >= {"200", "4XX", "5XX"}


async def test_every_reference_leads_somewhere(http: httpx.AsyncClient) -> None:
    found = await document(http)
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(found)))
    assert references
    for reference in references:
        assert reference.removeprefix("#/components/schemas/") in found["components"]["schemas"]


async def test_the_schemas_take_what_the_api_takes(http: httpx.AsyncClient) -> None:
    found = await document(http)
    for path, good, bad in (
        (
            "/v1/chat/completions",
            {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stop": "x"},
            {"model": "m", "messages": [{"role": "user", "content": 5}]},
        ),
        ("/v1/completions", {"model": "m", "prompt": [[1], [2]], "stop": ["x"]}, {"model": "m", "prompt": 5}),
        ("/tokenize", {"prompt": "Hi"}, {"prompt": "Hi", "unknown": 1}),
        ("/detokenize", {"tokens": [1]}, {}),
    ):
        schema = found["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator(schema | {"components": found["components"]})
        assert validator.is_valid(good), path
        assert not validator.is_valid(bad), path


async def test_every_field_of_a_completion_is_explained(http: httpx.AsyncClient) -> None:
    found = await document(http)
    for path in ("/v1/chat/completions", "/v1/completions"):
        schema = found["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        for name, field in schema["properties"].items():
            assert field.get("description"), name


async def test_the_page_shows_it_and_needs_no_other_host(http: httpx.AsyncClient) -> None:
    response = await http.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in response.headers["content-security-policy"]
    for path in API:
        assert path in response.text
    for name in ("min_tokens", "repetition_penalty", "add_special_tokens"):
        assert f"<code>{name}</code>" in response.text
    assert "//" not in re.sub("<!doctype html>", "", response.text)
    for url in re.findall(r'(?:href|src)="(/[^"]*)"', response.text):
        assert (await http.get(url)).status_code == 200
    for target in re.findall(r'href="#([^"]*)"', response.text):
        assert f'id="{target}"' in response.text


def test_what_a_document_says_is_text(app: FastAPI) -> None:
    page = docs_page(
        {
            "info": {"version": "<1>"},
            "paths": {"/<b>": {"get": {"summary": "<script>"}}},
            "components": {"schemas": {}},
        }
    )
    assert "<script>" not in page
    assert "/&lt;b&gt;" in page
