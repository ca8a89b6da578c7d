"""The Responses API through a real server: the official client must find nothing missing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import httpx
import jsonschema_rs
import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server, wait_until
from tests.serve.running_app import running_app

from wending.engine.process_client import load_client
from wending.serve.conversation_settings import ConversationSettings

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "天气",
    "parameters": CITY,
    "strict": True,
}
NOW = {"type": "function", "name": "now", "parameters": None, "strict": None}


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(cast(FakeClient, load_client())) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(server: LiveServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0) as client:
        yield client


STREAM_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def events_of(stream: str) -> list[dict[str, Any]]:
    """The events of a stream. Each must be one that the official client's types allow."""
    events = []
    for block in stream.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        STREAM_EVENT.validate_python(event)
        events.append(event)
    return events


def ask(**fields: Any) -> dict[str, Any]:
    sea = "Tell me of the sea."
    return {"model": "wending-demo", "input": sea, "max_output_tokens": 60, "seed": 2} | fields


def ask_with(**fields: Any) -> dict[str, Any]:
    """For the client, which knows no seed."""
    asked = ask(**fields)
    return asked | {"extra_body": {"seed": asked.pop("seed")}}


def test_a_text(client: openai.OpenAI) -> None:
    response = client.responses.create(
        **ask_with(instructions="Be brief.", metadata={"a": "b"}, temperature=0)
    )
    chat = client.chat.completions.create(
        model="wending-demo",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Tell me of the sea."},
        ],
        max_tokens=60,
        temperature=0,
    )
    assert response.output_text == chat.choices[0].message.content
    assert response.usage is not None
    assert chat.usage is not None
    assert response.usage.output_tokens == chat.usage.completion_tokens
    assert response.usage.input_tokens == chat.usage.prompt_tokens
    assert response.usage.total_tokens == chat.usage.total_tokens
    assert response.status in ("completed", "incomplete")
    assert response.metadata == {"a": "b"}
    assert response.instructions == "Be brief."
    assert response.temperature == 0
    assert response.error is None
    assert response.output[0].type == "message"
    assert response.output[0].status == response.status


def test_a_limit(client: openai.OpenAI) -> None:
    response = client.responses.create(**ask_with(max_output_tokens=3))
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


ASKED: list[dict[str, Any]] = [
    {},
    {"temperature": 1.3, "top_logprobs": 2},
    {"max_output_tokens": 3},
    {"tools": [WEATHER, NOW]},
    {"tools": [WEATHER, NOW], "top_logprobs": 1, "tool_choice": "none"},
    {"tools": [WEATHER, NOW], "tool_choice": "required", "max_output_tokens": 120},
    {"tools": [WEATHER, NOW], "tool_choice": {"type": "function", "name": "now"}},
    {"text": {"format": {"type": "json_object"}}},
    {"text": {"format": {"type": "json_schema", "name": "n", "schema": CITY}}},
]


@pytest.mark.parametrize("fields", ASKED, ids=str)
def test_all_is_as_the_types_of_the_official_client_say(server: LiveServer, fields: dict[str, Any]) -> None:
    """The client itself checks nothing of what it reads; its types do."""
    whole = httpx.post(server.url + "/v1/responses", json=ask(**fields), timeout=60)
    Response.model_validate(whole.json())
    stream = httpx.post(server.url + "/v1/responses", json=ask(**fields, stream=True), timeout=60)
    assert stream.headers["content-type"].startswith("text/event-stream")
    events = events_of(stream.text)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    first, last = events[0]["response"], events[-1]["response"]
    assert (first["status"], first["output"], first["usage"]) == ("in_progress", [], None)
    assert {event["response"]["id"] for event in events if "response" in event} == {first["id"]}
    assert last.keys() == whole.json().keys()
    changing = ("id", "created_at", "completed_at", "output", "usage")
    assert all(last[name] == value for name, value in whole.json().items() if name not in changing)


@pytest.mark.parametrize("fields", ASKED, ids=str)
def test_the_stream_adds_up_to_the_whole(client: openai.OpenAI, fields: dict[str, Any]) -> None:
    whole = client.responses.create(**ask_with(**fields))
    events = list(client.responses.create(**ask_with(**fields), stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    final = events[-1].response
    assert events[-1].type == f"response.{whole.status}"
    texts: dict[int, str] = {}
    for event in events:
        if event.type in ("response.output_text.delta", "response.function_call_arguments.delta"):
            texts[event.output_index] = texts.get(event.output_index, "") + event.delta
    for index, (item, streamed) in enumerate(zip(whole.output, final.output, strict=True)):
        assert item.type == streamed.type
        if item.type == "message":
            assert item.content[0].text == streamed.content[0].text == texts.get(index, "")
            assert item.content[0].logprobs == streamed.content[0].logprobs
        else:
            assert (item.name, item.arguments) == (streamed.name, streamed.arguments)
            assert item.arguments == texts[index]
    kinds = [event.type for event in events]
    assert kinds.count("response.output_item.added") == kinds.count("response.output_item.done")
    assert kinds.count("response.output_item.added") == len(whole.output)
    assert final.usage.output_tokens == whole.usage.output_tokens


def test_a_function_is_called_and_answers(client: openai.OpenAI) -> None:
    choice = {"type": "function", "name": "get_weather"}
    first = client.responses.create(**ask_with(tools=[WEATHER], tool_choice=choice, temperature=0))
    [call] = first.output
    assert call.type == "function_call"
    jsonschema_rs.validate(CITY, json.loads(call.arguments))
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "21 °C"}
    question = {"role": "user", "content": "What is the weather in Paris?"}
    second = client.responses.create(**ask_with(input=[question, call, output], tools=[WEATHER]))
    assert second.output


def test_an_answer_comes_back_as_it_was(client: openai.OpenAI) -> None:
    first = client.responses.create(**ask_with(input=[{"role": "user", "content": "Hi"}]))
    messages = [{"role": "user", "content": "Hi"}, *first.output, {"role": "user", "content": "And now?"}]
    second = client.responses.create(**ask_with(input=messages))
    chat = client.chat.completions.create(
        model="wending-demo",
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": first.output_text},
            {"role": "user", "content": "And now?"},
        ],
        max_tokens=60,
        seed=2,
    )
    assert second.output_text == chat.choices[0].message.content


def test_parsed(client: openai.OpenAI) -> None:
    class Place(BaseModel):
        city: str
        floors: list[int]

    response = client.responses.parse(**ask_with(max_output_tokens=200), text_format=Place)
    assert isinstance(response.output_parsed, Place)


async def test_async_stream_helper(async_client: openai.AsyncOpenAI) -> None:
    async with async_client.responses.stream(**ask_with()) as stream:
        text = "".join([event.delta async for event in stream if event.type == "response.output_text.delta"])
        final = await stream.get_final_response()
    assert final.output_text == text


async def test_async_whole(async_client: openai.AsyncOpenAI) -> None:
    response = await async_client.responses.create(**ask_with(store=False))
    assert response.output_text
    assert response.store is False


def test_parsed_arguments_come_back(client: openai.OpenAI) -> None:
    class Weather(BaseModel):
        """天气"""

        city: str

    tools = [openai.pydantic_function_tool(Weather)]
    asked = {"input": "Weather?", "tools": tools, "tool_choice": "required", "parallel_tool_calls": False}
    first = client.responses.parse(**ask_with(**asked, max_output_tokens=200))
    [call] = first.output
    assert call.type == "function_call"
    assert isinstance(call.parsed_arguments, Weather)
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "21 °C"}
    for items in ([call, output], [call.model_dump(exclude={"parsed_arguments"}), output]):
        assert client.responses.create(**ask_with(input=items)).output_text


def test_the_settings_come_back(server: LiveServer) -> None:
    fields: dict[str, Any] = {
        "instructions": "Be brief.",
        "max_output_tokens": 4,
        "temperature": 0.5,
        "top_p": 0.75,
        "top_logprobs": 1,
        "text": {"format": {"type": "json_object"}},
        "tools": [WEATHER],
        "tool_choice": "none",
        "parallel_tool_calls": False,
        "truncation": "auto",
        "metadata": {"a": "b"},
        "user": "u",
        "safety_identifier": "s",
        "prompt_cache_key": "k",
    }
    answer = httpx.post(server.url + "/v1/responses", json=ask() | fields).json()
    assert {name: answer[name] for name in fields} == fields
    again = httpx.post(server.url + "/v1/responses", json=ask(reasoning=answer["reasoning"], store=False))
    assert again.status_code == 200


def test_the_prefix_cache_is_told(server: LiveServer) -> None:
    asked = ask(input="A long enough beginning of a question. " * 10, max_output_tokens=2)
    httpx.post(server.url + "/v1/responses", json=asked)
    usage = httpx.post(server.url + "/v1/responses", json=asked).json()["usage"]
    assert 0 < usage["input_tokens_details"]["cached_tokens"] < usage["input_tokens"]


def test_the_report(server: LiveServer) -> None:
    answer = httpx.post(server.url + "/v1/responses", json=ask(wending_report=True, top_k=5)).json()
    assert answer["wending"]["sampling"]["top_k"] == 5
    assert answer["wending"]["seed"] == 2


def schema(of: Any) -> dict[str, Any]:
    return {"text": {"format": {"type": "json_schema", "name": "n", "schema": of}}}


def call(**fields: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"} | fields


IMAGE = [{"type": "input_image"}]
NO_OUTPUT = {"type": "function_call_output", "call_id": "2", "output": ""}
F = {"type": "function", "name": "f"}
NO_SCHEMA = WEATHER | {"parameters": {"type": "object", "not": {}}}
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"input": None}, "input", "null"),
    ({"input": 5}, "input", "a text or a list"),
    ({"input": []}, "input", "at least 1"),
    ({"input": [5]}, "input[0]", "object"),
    ({"input": [{"type": "reasoning"}]}, "input[0].type", "reasoning"),
    ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role", "tool"),
    ({"input": [{"role": "user"}]}, "input[0].content", "Missing"),
    ({"input": [{"role": "user", "content": IMAGE}]}, "input[0].content[0].type", "image"),
    ({"input": [call(arguments="[]")]}, "input[0].arguments", "JSON object"),
    ({"input": [call(), NO_OUTPUT]}, "input[1].call_id", "2"),
    ({"previous_response_id": "resp_1"}, "previous_response_id", "not supported"),
    ({"store": True}, "store", "Nothing is kept"),
    ({"conversation": "conv_1"}, "conversation", "Nothing is kept"),
    ({"prompt": {"id": "pmpt_1"}}, "prompt", "Nothing is kept"),
    ({"background": True}, "background", "not supported"),
    ({"reasoning": {"effort": "high"}}, "reasoning", "not supported"),
    ({"max_tokens": 5}, "max_tokens", "Unknown"),
    ({"max_output_tokens": 0}, "max_output_tokens", "0"),
    ({"include": ["file_search_call.results"]}, "include[0]", "file_search"),
    ({"top_logprobs": 21}, "top_logprobs", "21"),
    ({"temperature": 3}, "temperature", "3"),
    ({"top_k": -2}, "top_k", "-2"),
    ({"truncation": "middle"}, "truncation", "middle"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type", "web_search"),
    ({"tools": [WEATHER | {"name": "a b"}]}, "tools[0].name", "a b"),
    ({"tools": [NOW, NOW]}, "tools[1].name", "tools[0]"),
    ({"tools": [NO_SCHEMA]}, "tools[0].parameters", "/not"),
    ({"tools": [NOW], "tool_choice": F}, "tool_choice.name", "which are: now"),
    ({"tools": [NOW], "tool_choice": "perhaps"}, "tool_choice", "perhaps"),
    ({"tool_choice": "required"}, "tool_choice", "absent"),
    (schema({"not": {}}), "text.format.schema", "/not"),
    ({"text": {"format": {"type": "grammar"}}}, "text.format", "grammar"),
    ({"text": {"format": {"type": "json_schema"}}}, "text.format.name", "Missing"),
    ({"text": {"format": {"type": "json_object", "x": 1}}}, "text.format.x", "Unknown"),
    ({"stream_options": {}}, "stream_options", "stream"),
    ({"input": "long " * 20000}, "input", "context length"),
]  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fields", "param", "said"), REFUSED, ids=lambda value: str(value)[:50])
def test_refused(server: LiveServer, fields: dict[str, Any], param: str, said: str, stream: bool) -> None:
    if "stream_options" in fields and stream:
        return
    answer = httpx.post(server.url + "/v1/responses", json=ask(stream=stream) | fields, timeout=60)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["param"] == param
    assert f"'{param}'" in error["message"]
    assert said in error["message"]


def test_a_failure_in_a_stream_is_an_event() -> None:
    fake = FakeClient()
    fake.fail_after = 3
    with live_server(fake) as server:
        asked = {"model": "fake-model", "input": "Hi"}
        stream = httpx.post(server.url + "/v1/responses", json=asked | {"stream": True})
        last = events_of(stream.text)[-1]
        assert last["type"] == "response.failed"
        assert last["response"]["status"] == "failed"
        assert last["response"]["output"][0]["status"] == "incomplete"
        assert "logits are not finite" in last["response"]["error"]["message"]
        whole = httpx.post(server.url + "/v1/responses", json=asked)
        assert whole.status_code == 500
        assert whole.json()["error"]["code"] == "non_finite_logits"


def test_a_stream_begins_before_the_first_token_is_kept_alive_and_ends_with_its_client() -> None:
    with live_server(FakeClient()) as server:
        server.client.delay_s, server.service.ping_s = 1000, 0.05
        asked = {"model": "fake-model", "input": "Hi", "stream": True}
        with httpx.stream("POST", server.url + "/v1/responses", json=asked) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: response.created"
            assert next(line for line in lines if line.startswith("event")) == "event: response.in_progress"
            assert next(line for line in lines if line.startswith(":")) == ": ping"
        wait_until(lambda: len(server.client.aborted) == 1)


async def test_an_overloaded_engine_refuses_before_a_stream_begins() -> None:
    fake = FakeClient()
    async with running_app(fake) as http:
        fake.overloaded = "9 requests wait"
        answer = await http.post("/v1/responses", json={"model": "fake-model", "input": "Hi", "stream": True})
    assert answer.status_code == 429


def test_the_truncation_in_use_is_told() -> None:
    with live_server(FakeClient()) as server:
        server.service.conversation = ConversationSettings(context_policy="drop-oldest")
        asked = {"model": "fake-model", "input": "Hi"}
        answer = httpx.post(server.url + "/v1/responses", json=asked)
        assert answer.json()["truncation"] == "auto"
        assert answer.headers["X-Wending-Dropped-Turns"] == "0"
        answer = httpx.post(server.url + "/v1/responses", json=asked | {"truncation": "disabled"})
        assert answer.json()["truncation"] == "disabled"


async def test_it_is_counted_and_documented() -> None:
    async with running_app(FakeClient()) as http:
        await http.post("/v1/responses", json={"model": "fake-model", "input": "Hi"})
        line = 'http_requests_total{method="POST",handler="/v1/responses",status="200"} 1'
        assert line in (await http.get("/metrics")).text
        assert "/v1/responses" in (await http.get("/openapi.json")).json()["paths"]
