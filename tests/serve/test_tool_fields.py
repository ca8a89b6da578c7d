"""Calls of tools through a real server and a real engine in a process of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import jsonschema_rs
import openai
import pytest
from openai import pydantic_function_tool
from pydantic import BaseModel
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server

from wending.engine.process_client import load_client

PLACE = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 20},
        "unit": {"enum": ["C", "F"]},
        "at": {"$ref": "#/$defs/time"},
    },
    "required": ["city", "at"],
    "additionalProperties": False,
    "$defs": {"time": {"type": "string", "format": "date-time"}},
}
EMPTY = {"type": "object", "properties": {}, "additionalProperties": False}
SCHEMAS = {"get_weather": PLACE, "now": EMPTY}
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "天气", "parameters": PLACE}},
    {"type": "function", "function": {"name": "now", "strict": True}},
]
WEATHER = {"type": "function", "function": {"name": "get_weather"}}


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(cast(FakeClient, load_client())) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0) as client:
        yield client


def ask(**fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]
    return {"model": "wending-demo", "messages": messages, "tools": TOOLS, "max_tokens": 150} | fields


def check_calls(calls: Any) -> None:
    for call in calls:
        jsonschema_rs.validate(SCHEMAS[call.function.name], json.loads(call.function.arguments))
    assert len({call.id for call in calls}) == len(calls)


def streamed(client: openai.OpenAI, fields: dict[str, Any]) -> tuple[str, list[list[str]], str | None]:
    """Text, name and arguments of each call, and how it ended."""
    text, calls, reason = "", list[list[str]](), None
    for chunk in client.chat.completions.create(**fields, stream=True):
        [choice] = chunk.choices
        reason = choice.finish_reason or reason
        text += choice.delta.content or ""
        for call in choice.delta.tool_calls or ():
            assert call.function is not None
            if call.function.name is not None:
                calls.append([call.function.name, ""])
            calls[call.index][1] += call.function.arguments or ""
    return text, calls, reason


@pytest.mark.parametrize("temperature", [0.0, 1.3])
@pytest.mark.parametrize("choice", ["auto", "required", "none", WEATHER], ids=str)
def test_stream_equals_whole(client: openai.OpenAI, choice: Any, temperature: float) -> None:
    fields = ask(tool_choice=choice, temperature=temperature, seed=3)
    whole = client.chat.completions.create(**fields).choices[0]
    calls = whole.message.tool_calls or []
    said = [[call.function.name, call.function.arguments] for call in calls]
    assert streamed(client, fields) == (whole.message.content or "", said, whole.finish_reason)
    assert whole.finish_reason in ("tool_calls" if calls else "stop", "length")
    check_calls(calls)
    assert bool(calls) == (choice not in ("auto", "none")) or choice == "auto"
    assert choice != WEATHER or [name for name, _ in said] == ["get_weather"]


def test_no_call_is_cut_at_any_budget(client: openai.OpenAI) -> None:
    for budget in (18, 19, 25, 40, 80):
        for seed in range(4):
            fields = ask(tool_choice="required", max_tokens=budget, seed=seed, temperature=1.5)
            choice = client.chat.completions.create(**fields).choices[0]
            assert choice.message.tool_calls
            check_calls(choice.message.tool_calls)
            assert choice.finish_reason in ("tool_calls", "length")


def test_one_call_if_several_are_not_wanted(client: openai.OpenAI) -> None:
    fields = ask(tool_choice="required", parallel_tool_calls=False, temperature=1.5, n=8, seed=1)
    for choice in client.chat.completions.create(**fields).choices:
        assert len(choice.message.tool_calls or ()) == 1


def test_several_completions_in_one_stream(client: openai.OpenAI) -> None:
    fields = ask(tool_choice="required", temperature=1.2, n=3, seed=5)
    whole = client.chat.completions.create(**fields)
    arguments: list[dict[int, str]] = [{}, {}, {}]
    for chunk in client.chat.completions.create(**fields, stream=True):
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or ():
                said = (call.function.arguments if call.function else None) or ""
                arguments[choice.index][call.index] = arguments[choice.index].get(call.index, "") + said
    for choice, streamed in zip(whole.choices, arguments, strict=True):
        assert [call.function.arguments for call in choice.message.tool_calls or ()] == [*streamed.values()]


def test_a_tool_answers(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(**ask(tool_choice=WEATHER, temperature=0)).choices[0].message
    assert first.tool_calls
    answer = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "21 °C, sunny"}
    messages = [*ask()["messages"], first, answer]
    second = client.chat.completions.create(**ask(messages=messages, temperature=0))
    assert second.choices[0].message.role == "assistant"


def test_text_that_keeps_to_a_schema_or_a_call(client: openai.OpenAI) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"enum": ["red", "green"]}}}
    for seed in range(6):
        fields = ask(response_format=form, temperature=1.5, seed=seed, max_tokens=60)
        message = client.chat.completions.create(**fields).choices[0].message
        if message.tool_calls:
            check_calls(message.tool_calls)
        else:
            assert message.content in ('"red"', '"green"')


def test_parsed_arguments(client: openai.OpenAI) -> None:
    class Place(BaseModel):
        """Where to look."""

        city: str
        days: list[int]

    fields = ask(tools=[pydantic_function_tool(Place)], tool_choice="required", temperature=0)
    message = client.chat.completions.parse(**fields).choices[0].message
    assert message.tool_calls
    assert isinstance(message.tool_calls[0].function.parsed_arguments, Place)


@pytest.fixture
async def async_client(server: LiveServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0) as client:
        yield client


async def test_events_of_arguments(async_client: openai.AsyncOpenAI) -> None:
    fields = ask(tool_choice=WEATHER, temperature=0)
    async with async_client.chat.completions.stream(**fields) as stream:
        deltas = [
            event.arguments_delta
            async for event in stream
            if event.type == "tool_calls.function.arguments.delta"
        ]
        final = await stream.get_final_completion()
    assert final.choices[0].message.tool_calls
    assert "".join(deltas) == final.choices[0].message.tool_calls[0].function.arguments
    assert len(deltas) > 3


def tool(**function: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": "f"} | function}]}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (tool(parameters={"type": "object", "not": {}}), "tools[0].function.parameters", "/not"),
    (tool(parameters={"type": "object", "$ref": "#/x"}), "tools", "cannot be enforced"),
    ({"tool_choice": "required", "max_tokens": 3}, "max_tokens", "3 tokens"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"not": {}}}}},
     "response_format.json_schema.schema", "/not"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "param", "said"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_cannot_be_enforced(
    client: openai.OpenAI, fields: dict[str, Any], param: str, said: str
) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(**ask(**fields))
    assert str(error.value.param).startswith(param)
    assert said in error.value.message
