"""Structured answers through a real server and a real engine in a process of its own."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from typing import Any, Literal, cast

import httpx
import openai
import pytest
from pydantic import BaseModel
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server

from wending.engine.process_client import load_client


class Employee(BaseModel):
    name: str
    born: datetime.date
    role: Literal["engineer", "manager"]


class Staff(BaseModel):
    employees: list[Employee]


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(cast(FakeClient, load_client())) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0) as client:
        yield client


def ask(text: str = "List two employees as JSON.", **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"model": "wending-demo", "messages": messages, "temperature": 0, "max_tokens": 300} | fields


def schema(of: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": of, "strict": True}}


def test_parse_gives_objects(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(**ask(max_tokens=400), response_format=Staff)
    staff = answer.choices[0].message.parsed
    assert staff is not None
    assert answer.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("temperature", [0, 1])
def test_stream_equals_whole(client: openai.OpenAI, temperature: float) -> None:
    fields = ask(response_format=schema(Staff.model_json_schema()), temperature=temperature, seed=4)
    whole = client.chat.completions.create(**fields).choices[0].message.content
    chunks = client.chat.completions.create(**fields, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
    assert whole is not None
    Staff.model_validate_json(whole)


def test_any_object(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**ask(max_tokens=20, response_format={"type": "json_object"}))
    assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


@pytest.mark.parametrize(
    ("field", "value", "pattern"),
    [
        ("guided_regex", "[a-c]{3}-[0-9]", "[a-c]{3}-[0-9]"),
        ("guided_choice", ["yes", "no"], "yes|no"),
        ("guided_grammar", 'start: "a" ("b" | "c")', "a[bc]"),
        ("guided_json", {"type": "boolean"}, "true|false"),
        ("guided_json", '{"type": "boolean"}', "true|false"),
        ("structured_outputs", {"regex": "[xy]+z"}, "[xy]+z"),
        ("structured_outputs", {"json": {"enum": [1, 2]}}, "1|2"),
    ],
)
def test_other_forms(client: openai.OpenAI, field: str, value: Any, pattern: str) -> None:
    answer = client.chat.completions.create(**ask(max_tokens=12), extra_body={field: value})
    assert re.fullmatch(pattern, answer.choices[0].message.content or "")


@pytest.mark.parametrize("pattern", ["[\u4e00-\u9fff]", "^[\u4e00-\u9fff]{2,4}$", "[😀-🙏]", "中文"])
def test_patterns_in_any_writing(client: openai.OpenAI, pattern: str) -> None:
    text = {"type": "string", "pattern": pattern}
    of = {"type": "object", "properties": {"name": text}, "required": ["name"], "additionalProperties": False}
    forms = ({"response_format": schema(of)}, {"guided_json": of}, {"guided_json": json.dumps(of)})
    said = [
        client.chat.completions.create(**ask(max_tokens=40), extra_body=form).choices[0].message.content
        for form in forms
    ]
    assert said[0] == said[1] == said[2]
    assert re.search(pattern, json.loads(said[0] or "")["name"])


SCHEMA = "response_format.json_schema.schema"
PEOPLE = schema(Staff.model_json_schema())
REFUSED = [
    ({"response_format": schema({"not": {}})}, SCHEMA, "/not"),
    (
        {"response_format": schema({"properties": {"a": {"type": "array", "uniqueItems": True}}})},
        SCHEMA,
        "/properties/a/uniqueItems",
    ),
    (
        {"response_format": schema({"$ref": "http://example.org/s"})},
        SCHEMA,
        "http",
    ),
    ({"response_format": schema({"type": "text"})}, SCHEMA, "text"),
    ({"response_format": schema({"enum": []})}, SCHEMA, "nsatisfiable"),
    ({"response_format": PEOPLE, "max_tokens": 3}, "max_tokens", "3 tokens"),
    ({"guided_json": "{"}, "guided_json", "not JSON"),
    ({"guided_json": "[" * 2000 + "]" * 2000}, "guided_json", "not JSON"),
    ({"guided_json": {"const": 2**64}}, "guided_json", "64 bits"),
    ({"guided_json": json.dumps({"const": 2**64})}, "guided_json", "64 bits"),
    ({"guided_json": {"const": 2**53 + 1}}, "guided_json", "/const"),
    ({"guided_regex": "("}, "guided_regex", "unclosed"),
    ({"guided_regex": "a(?=b)"}, "guided_regex", "look-around"),
    ({"guided_choice": []}, "guided_choice", "at least one"),
    ({"guided_grammar": "start: ]["}, "guided_grammar", "cannot be enforced"),
    ({"guided_grammar": 'start: "a" start'}, "guided_grammar", "no complete answer"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fields", "param", "said"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_cannot_be_enforced_is_refused(
    server: LiveServer, fields: dict[str, Any], param: str, said: str, stream: bool
) -> None:
    answer = httpx.post(server.url + "/v1/chat/completions", json=ask(**fields, stream=stream), timeout=60)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["param"] == param
    assert said in error["message"]


def test_the_schema_names_no_way_around(client: openai.OpenAI) -> None:
    lenient = {"type": "array", "uniqueItems": True, "x-guidance": {"lenient": True}}
    with pytest.raises(openai.BadRequestError, match="uniqueItems"):
        client.chat.completions.create(**ask(response_format=schema(lenient)))
