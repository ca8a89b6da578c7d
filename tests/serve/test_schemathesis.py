"""Requests that schemathesis makes up from our own OpenAPI document: none finds an error of the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import DataObject, data
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server
from tests.serve.valid_requests import VALID

from wending.engine.process_client import load_client
from wending.serve.app import create_app
from wending.serve.openapi import openapi_document

schemathesis = pytest.importorskip("schemathesis")  # it wants an older jsonschema-rs than the newest

DOCUMENT = openapi_document(create_app())
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(cast(FakeClient, load_client())) as server:
        yield server


def test_the_document_is_what_the_server_says(server: LiveServer) -> None:
    assert httpx.get(f"{server.url}/openapi.json").json() == DOCUMENT


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@settings(
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=data())
def test_no_server_error(server: LiveServer, path: str, method: str, data: DataObject) -> None:
    def check(case: Any) -> None:
        checks = [schemathesis.checks.not_a_server_error]
        case.call_and_validate(base_url=server.url, checks=checks, timeout=60)

    case = data.draw(SCHEMA[path][method].as_strategy())
    check(case)
    if path in VALID and isinstance(case.body, dict):
        # Most of what is made up is refused for its first fault. So each field is tried by itself, too. A
        # deadline that has passed is answered 504 rightly.
        for name, value in case.body.items():
            if name not in ("model", "deadline_s"):
                case.body = VALID[path] | {name: value}
                check(case)
