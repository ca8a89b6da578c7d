"""What a client can get wrong: each is answered by a 4xx in OpenAI's form that names the field."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.serve.fake_client import FakeClient

URL = "/v1/chat/completions"
HELLO: dict[str, Any] = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
JSON = {"content-type": "application/json"}

CALL = {"id": "1", "function": {"name": "f", "arguments": "{}"}}


def called_with(arguments: Any) -> dict[str, Any]:
    return message(
        role="assistant", tool_calls=[{"id": "1", "function": {"name": "f", "arguments": arguments}}]
    )


def function(**fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f"} | fields}


F = function()


def message(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hi"}, {"role": "user", "content": "Hi"} | fields]}


# Fields that replace or join those of a valid request, the parameter that the error must name, and what its
# message must say besides.
BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"temperature": -0.1}, "temperature", "-0.1"),
    ({"temperature": 2.1}, "temperature", "2.1"),
    ({"temperature": "1"}, "temperature", '"1"'),
    ({"temperature": True}, "temperature", "true"),
    ({"temperature": [1]}, "temperature", "[1]"),
    ({"top_p": 0}, "top_p", "0"),
    ({"top_p": 1.1}, "top_p", "1.1"),
    ({"top_p": "0.5"}, "top_p", '"0.5"'),
    ({"n": 0}, "n", "0"),
    ({"n": 129}, "n", "129"),
    ({"n": 1.5}, "n", "1.5"),
    ({"n": True}, "n", "true"),
    ({"max_tokens": 0}, "max_tokens", "0"),
    ({"max_tokens": -5}, "max_tokens", "-5"),
    ({"max_tokens": "5"}, "max_tokens", '"5"'),
    ({"max_tokens": 5.0}, "max_tokens", "5.0"),
    ({"max_completion_tokens": 0}, "max_completion_tokens", "0"),
    ({"max_completion_tokens": 4, "max_tokens": 5}, "max_completion_tokens", "4"),
    ({"stop": 5}, "stop", "5"),
    ({"stop": ["a", 5]}, "stop[1]", "5"),
    ({"stop": ""}, "stop[0]", '""'),
    ({"stop": ["x"] * 17}, "stop", "17"),
    ({"stop": "x" * 1001}, "stop[0]", "1000"),
    ({"seed": 1.5}, "seed", "1.5"),
    ({"seed": 2**64}, "seed", str(2**64)),
    ({"seed": "7"}, "seed", '"7"'),
    ({"presence_penalty": 2.5}, "presence_penalty", "2.5"),
    ({"frequency_penalty": -2.5}, "frequency_penalty", "-2.5"),
    ({"frequency_penalty": {}}, "frequency_penalty", "{}"),
    ({"logit_bias": {"x": 1}}, "logit_bias", "x"),
    ({"logit_bias": {"-1": 1}}, "logit_bias", "-1"),
    ({"logit_bias": {"٣": 1}}, "logit_bias", "٣"),
    ({"logit_bias": {"5": "1"}}, "logit_bias.5", '"1"'),
    ({"logit_bias": {"5": 101}}, "logit_bias", "101"),
    ({"logit_bias": {"9999999": 1}}, "logit_bias", "9999999"),
    ({"logit_bias": [1]}, "logit_bias", "[1]"),
    ({"logprobs": 5}, "logprobs", "5"),
    ({"logprobs": "true"}, "logprobs", '"true"'),
    ({"top_logprobs": 5}, "top_logprobs", "logprobs"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "21"),
    ({"logprobs": True, "top_logprobs": -1}, "top_logprobs", "-1"),
    ({"stream": "yes"}, "stream", '"yes"'),
    ({"stream": 1}, "stream", "1"),
    ({"stream_options": {"include_usage": True}}, "stream_options", "stream"),
    ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options.include_usage", "1"),
    ({"stream": True, "stream_options": {"x": 1}}, "stream_options.x", ""),
    ({"user": 5}, "user", "5"),
    ({"metadata": {"a": 1}}, "metadata.a", "1"),
    ({"top_k": -2}, "top_k", "-2"),
    ({"top_k": 1.0}, "top_k", "1.0"),
    ({"min_p": 1.5}, "min_p", "1.5"),
    ({"repetition_penalty": 0}, "repetition_penalty", "0"),
    ({"stop_token_ids": 5}, "stop_token_ids", "5"),
    ({"stop_token_ids": [-1]}, "stop_token_ids", "-1"),
    ({"stop_token_ids": ["5"]}, "stop_token_ids[0]", '"5"'),
    ({"ignore_eos": 1}, "ignore_eos", "1"),
    ({"min_tokens": -1}, "min_tokens", "-1"),
    ({"min_tokens": 1.5}, "min_tokens", "1.5"),
    ({"min_tokens": 5, "max_tokens": 4}, "min_tokens", "4"),
    ({"min_tokens": 5, "max_completion_tokens": 4}, "min_tokens", "4"),
    ({"wending_report": 1}, "wending_report", "1"),
    # Not honoured by this version
    ({"tools": {}}, "tools", "list"),
    ({"tools": [F] * 129}, "tools", "128"),
    ({"tools": [F, F]}, "tools[1].function.name", "tools[0]"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type", "web_search"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "Missing"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "a b"),
    ({"tools": [function(parameters=[])]}, "tools[0].function.parameters", "as an object"),
    ({"tools": [function(parameters={"type": "array"})]}, "tools[0].function.parameters", '"object"'),
    ({"tools": [function(returns={})]}, "tools[0].function.returns", "Unknown"),
    ({"tools": [F], "stop": ["x"]}, "stop", "drop one"),
    ({"tools": [F], "guided_regex": "x"}, "guided_regex", "together with 'tools'"),
    ({"tools": [F], "tool_choice": "any"}, "tool_choice", "any"),
    ({"tools": [F], "tool_choice": 1}, "tool_choice", "1"),
    ({"tools": [F], "tool_choice": {"type": "function"}}, "tool_choice", "absent"),
    ({"tools": [F], "tool_choice": {"type": "custom"}}, "tool_choice.type", "custom"),
    (
        {"tools": [F], "tool_choice": {"type": "function", "function": {}}},
        "tool_choice.function.name",
        "Missing",
    ),
    (
        {"tools": [F], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool_choice.function.name",
        "which are: f",
    ),
    ({"tool_choice": "required"}, "tool_choice", "absent or empty"),
    ({"functions": [{"name": "f"}]}, "functions", "not supported"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls", "1"),
    ({"modalities": ["text", "audio"]}, "modalities", "not supported"),
    ({"audio": {"voice": "alloy"}}, "audio", "not supported"),
    ({"store": True}, "store", "not supported"),
    ({"reasoning_effort": "high"}, "reasoning_effort", "not supported"),
    ({"web_search_options": {}}, "web_search_options", "not supported"),
    # The form of the answer
    ({"response_format": {"type": "yaml"}}, "response_format", "yaml"),
    ({"response_format": "text"}, "response_format", '"text"'),
    ({"response_format": {}}, "response_format", "type"),
    ({"response_format": {"type": "json_object", "x": 1}}, "response_format.json_object.x", "Unknown"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.json_schema", "Missing"),
    ({"response_format": {"type": "json_object"}, "guided_regex": "a"}, "guided_regex", "response_format"),
    ({"response_format": {"type": "json_object"}, "stop": ["x"]}, "stop", "response_format"),
    ({"guided_json": 5}, "guided_json", "5"),
    ({"guided_regex": ["a"]}, "guided_regex", "a"),
    ({"guided_choice": "a"}, "guided_choice", '"a"'),
    ({"guided_choice": [1]}, "guided_choice[0]", "1"),
    ({"guided_grammar": 1}, "guided_grammar", "1"),
    ({"structured_outputs": {"xml": ""}}, "structured_outputs.xml", "Unknown"),
    ({"structured_outputs": {"regex": "a", "choice": ["a"]}}, "structured_outputs.choice", "regex"),
    # Unknown
    ({"temprature": 1}, "temprature", "Unknown"),
    ({"": 1}, "", "Unknown"),
    # Messages
    ({"messages": None}, "messages", "null"),
    ({"messages": []}, "messages", "[]"),
    ({"messages": "Hi"}, "messages", '"Hi"'),
    ({"messages": ["Hi"]}, "messages[0]", '"Hi"'),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "Missing"),
    ({"messages": [{"content": "Hi"}]}, "messages[0].role", "Missing"),
    ({"messages": [{"role": "user", "content": "Hi"}] * 4097}, "messages", "4096"),
    (message(role=1), "messages[1].role", "1"),
    (message(content=None), "messages[1].content", "null"),
    (message(content=5), "messages[1].content", "5"),
    (message(content={"text": "Hi"}), "messages[1].content", "list of text parts"),
    (message(content=["Hi"]), "messages[1].content[0]", '"Hi"'),
    (message(content=[{"type": "text"}]), "messages[1].content[0].text", "Missing"),
    (message(content=[{"type": "image_url", "image_url": {}}]), "messages[1].content[0].type", "image_url"),
    (message(name=5), "messages[1].name", "5"),
    (message(tool_calls=[CALL]), "messages[1].tool_calls", "only messages of the assistant"),
    (message(role="assistant", tool_calls=[{"id": "1"}]), "messages[1].tool_calls[0].function", "Missing"),
    (
        called_with("[]"),
        "messages[1].tool_calls[0].function.arguments",
        "JSON object",
    ),
    (
        message(
            role="assistant", tool_calls=[{"id": "1", "function": {"name": "f", "arguments": '{"a": NaN}'}}]
        ),
        "messages[1].tool_calls[0].function.arguments",
        "JSON object",
    ),
    (
        called_with({}),
        "messages[1].tool_calls[0].function.arguments",
        "string",
    ),
    (message(role="assistant", content=None, tool_calls=[]), "messages[1].content", "null"),
    (message(role="tool", tool_call_id="1"), "messages[1].tool_call_id", "no call"),
    (message(audio={"id": "1"}), "messages[1].audio", "not supported"),
    (message(weight=1), "messages[1].weight", "Unknown"),
    # Model
    ({"model": None}, "model", "null"),
    ({"model": 5}, "model", "5"),
]


@pytest.mark.parametrize(("fields", "param", "said"), BAD_FIELDS, ids=lambda value: str(value)[:60])
async def test_bad_field(
    http: httpx.AsyncClient, client: FakeClient, fields: dict[str, Any], param: str, said: str
) -> None:
    response = await http.post(URL, json=HELLO | fields)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert f"'{param}'" in error["message"]
    assert said in error["message"]
    assert (await http.post(URL, json=HELLO)).status_code == 200
    assert client.running == set()


@pytest.mark.parametrize("name", ["model", "messages"])
async def test_missing_field(http: httpx.AsyncClient, name: str) -> None:
    response = await http.post(URL, json={key: value for key, value in HELLO.items() if key != name})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == name
    assert response.json()["error"]["code"] == "missing_required_parameter"


async def test_unknown_model(http: httpx.AsyncClient) -> None:
    response = await http.post(URL, json=HELLO | {"model": "gpt-4o"})
    assert response.status_code == 404
    error = response.json()["error"]
    assert error["code"] == "model_not_found"
    assert error["param"] == "model"
    assert "gpt-4o" in error["message"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_number_that_is_not_finite(http: httpx.AsyncClient, number: str) -> None:
    body = f'{{"model": "fake-model", "messages": [{{"role": "user", "content": "Hi"}}], "top_p": {number}}}'
    response = await http.post(URL, content=body, headers=JSON)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "top_p"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b'{"model": "fake-model",}',
        b"{'model': 'fake-model'}",
        b'{"model": "\xff\xfe"}',
        b'{"model": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 10_000,
        b'{"model": "x"} trailing',
        "\ufeff{}".encode(),
        "{}".encode("utf-16"),
    ],
    ids=lambda body: repr(body[:30]),
)
async def test_body_that_is_no_json_object(http: httpx.AsyncClient, body: bytes) -> None:
    response = await http.post(URL, content=body, headers=JSON)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "invalid_json"
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_body_that_is_not_sent_as_json(http: httpx.AsyncClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    response = await http.post(URL, content=b"{}", headers=headers)
    assert response.status_code == 415
    assert "Content-Type" in response.json()["error"]["message"]


async def test_content_type_with_charset(http: httpx.AsyncClient) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    body = '{"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}'
    assert (await http.post(URL, content=body, headers=headers)).status_code == 200


@pytest.mark.parametrize("content", ["Hi" * 9_000_000, None], ids=["announced", "chunked"])
async def test_body_too_large(http: httpx.AsyncClient, content: str | None) -> None:
    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 2**20

    response = await http.post(URL, content=content or chunks(), headers=JSON)
    assert response.status_code == 413
    assert str(16 * 2**20) in response.json()["error"]["message"]


@pytest.mark.parametrize("url", ["/v1/chat/completion", URL + "/", "/v1", "/docs/", "/redoc"])
async def test_unknown_route(http: httpx.AsyncClient, url: str) -> None:
    response = await http.post(url, json=HELLO)
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert f"POST {url}" in response.json()["error"]["message"]


@pytest.mark.parametrize(("method", "url"), [("GET", URL), ("DELETE", "/v1/models"), ("POST", "/health")])
async def test_wrong_method(http: httpx.AsyncClient, method: str, url: str) -> None:
    response = await http.request(method, url)
    assert response.status_code == 405
    assert response.headers["allow"] in ("POST", "GET")
    assert method in response.json()["error"]["message"]
