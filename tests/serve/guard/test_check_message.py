"""Calls of tools through the guard: what is passed on, mended, asked for again and given up."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.serve.guard.requests import GOOD, JSON_SCHEMA, PERSON, URL, hello
from tests.serve.guard.scripted_upstream import Reply, ScriptedUpstream, completion, event, stream

REPORT = {"X-Wending-Report": "1"}
TOOLS = [
    {"type": "their_own"},
    {"type": "function", "function": {"name": "hire", "parameters": PERSON}},
    {"type": "function", "function": {"name": "now"}},
]


def calls(*given: tuple[str, Any], text: str | None = None) -> Reply:
    """An answer that calls these functions."""
    made = [
        {"id": f"call_{i}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for i, (name, arguments) in enumerate(given)
    ]
    message = {"role": "assistant", "content": text, "tool_calls": made}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return completion(choices=[choice])


async def ask(http: httpx.AsyncClient, status: int = 200, **fields: Any) -> dict[str, Any]:
    response = await http.post(URL, json=hello(tools=TOOLS) | fields, headers=REPORT)
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


def called(answer: dict[str, Any]) -> list[tuple[str, Any]]:
    made = answer["choices"][0]["message"].get("tool_calls") or []
    return [(one["function"]["name"], json.loads(one["function"]["arguments"])) for one in made]


def kinds(answer: dict[str, Any]) -> list[str]:
    return [repair["kind"] for repair in answer["wending"]["guard"]["repairs"]]


async def test_good_calls_pass_unchanged(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [calls(("hire", GOOD), ("now", "{}"), text="Let me see.")]
    response = await http.post(URL, json=hello(tools=TOOLS))
    assert response.json() == json.loads(upstream.script[0].pieces[0])
    assert upstream.requests == [hello(tools=TOOLS)]


async def test_text_is_an_answer_too(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("I know it by heart.")]
    answer = await ask(http)
    assert answer["choices"][0]["message"]["content"] == "I know it by heart."
    assert answer["wending"]["guard"]["asked"] == 1


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ("{'name': 'Li', 'age': 3,}", "syntax"),
        ('{"name": "Li", "age": 3', "cut_off"),
        (f"```json\n{GOOD}\n```", "code_fence"),
        (json.loads(GOOD), "syntax"),
    ],
)
async def test_arguments_are_mended(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, arguments: Any, kind: str
) -> None:
    person = PERSON | {"properties": PERSON["properties"], "required": ["name"]}
    tools = [{"type": "function", "function": {"name": "hire", "parameters": person}}]
    upstream.script = [calls(("hire", arguments))]
    answer = await ask(http, tools=tools)
    [(name, value)] = called(answer)
    assert (name, value["name"]) == ("hire", "Li")
    assert kinds(answer) == [kind]


async def test_no_arguments_are_an_empty_object(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [calls(("now", ""))]
    assert called(await ask(http)) == [("now", {})]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (calls(("hire", '{"name": "Li", "age": -3}')), "/age"),
        (calls(("hire", GOOD), ("fire", "{}")), "there is no function 'fire'; there are: hire, now"),
        (completion('<tool_call>{"name": "hire", "arguments": {"age": 1}}</tool_call>'), "name"),
        (completion("<tool_call>hire Li</tool_call>"), "not valid JSON"),
    ],
)
async def test_wrong_once_then_good(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, wrong: Reply, said: str
) -> None:
    upstream.script = [wrong, calls(("hire", GOOD))]
    answer = await ask(http)
    assert called(answer) == [("hire", json.loads(GOOD))]
    problems = answer["wending"]["guard"]["problems"]
    assert said in " ".join(problem["problem"] for problem in problems)
    assistant, complaint = upstream.requests[1]["messages"][-2:]
    assert assistant["role"] == "assistant"
    assert "tool_calls" not in assistant
    assert said in complaint["content"]
    assert answer["usage"]["total_tokens"] == 30


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "hire"}}], ids=str)
async def test_a_call_that_must_be_made(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, choice: Any
) -> None:
    upstream.script = [completion("No."), calls(("hire", GOOD))]
    assert called(await ask(http, tool_choice=choice)) == [("hire", json.loads(GOOD))]
    upstream.script = [completion("No.")]
    error = (await ask(http, 502, tool_choice=choice))["error"]
    assert error["code"] == "invalid_upstream_answer"
    assert error["param"] == "tools"
    assert error["last_text"] == "No."
    assert "called" in error["message"]


async def test_calls_in_the_text(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    hire = f'<tool_call>\n{{"name": "hire", "arguments": {GOOD}}}\n</tool_call>'
    upstream.script = [completion(f'Well.\n{hire}\n<tool_call>{{"name":"now"}}')]
    answer = await ask(http)
    assert called(answer) == [("hire", json.loads(GOOD)), ("now", {})]
    assert answer["choices"][0]["message"]["content"] == "Well."
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    assert kinds(answer) == ["tool_call_in_text"]


async def test_text_that_keeps_to_a_schema_beside_tools(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [completion("No JSON"), calls(("hire", GOOD))]
    assert called(await ask(http, response_format=JSON_SCHEMA)) == [("hire", json.loads(GOOD))]
    upstream.script = [completion("No JSON"), completion(GOOD)]
    answer = await ask(http, response_format=JSON_SCHEMA)
    assert answer["choices"][0]["message"]["content"] == GOOD


async def test_parameters_that_are_no_schema(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    for parameters, said in (({"type": "objekt"}, "objekt"), ([], "as an object")):
        tools = [TOOLS[0], {"type": "function", "function": {"name": "f", "parameters": parameters}}]
        error = (await ask(http, 400, tools=tools))["error"]
        assert error["param"] == "tools[1].function.parameters"
        assert said in error["message"]
    assert upstream.requests == []


def streamed(*deltas: dict[str, Any], finish_reason: str = "tool_calls") -> Reply:
    pieces = [event([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    end = event([{"index": 0, "delta": {}, "finish_reason": finish_reason}])
    return Reply([*pieces, end, b"data: [DONE]\n\n"], content_type="text/event-stream")


def piece(arguments: str, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "function": {"arguments": arguments} | fields}]}


async def test_a_held_stream_brings_good_calls(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [calls(("hire", "{'name': 'Li', 'age': 3}"))]
    response = await http.post(URL, json=hello(tools=TOOLS, stream=True))
    chunks = [json.loads(line[6:]) for line in response.text.split("\n\n") if line.startswith("data: {")]
    [call] = chunks[0]["choices"][0]["delta"]["tool_calls"]
    assert call["index"] == 0
    assert json.loads(call["function"]["arguments"]) == json.loads(GOOD)
    assert response.text.endswith("data: [DONE]\n\n")


async def test_a_passed_stream_is_checked_at_its_end(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    asked = hello(tools=TOOLS, stream=True, guard_stream="pass")
    upstream.script = [streamed(piece('{"name": "Li"', name="hire"), piece(', "age": 3}'))]
    response = await http.post(URL, json=asked)
    assert response.content == b"".join(upstream.script[0].pieces)
    upstream.script = [streamed(piece('{"name": "Li"', name="hire"), piece(', "age": -3}'))]
    response = await http.post(URL, json=asked)
    assert "/age" in response.text
    assert "[DONE]" not in response.text
    assert '"finish_reason": "tool_calls"' not in response.text
    upstream.script = [stream("Just ", "text.")]
    response = await http.post(URL, json=asked)
    assert response.content == b"".join(upstream.script[0].pieces)


async def test_calls_are_not_continued(http: httpx.AsyncClient) -> None:
    error = (await ask(http, 400, **{"continue": 2}))["error"]
    assert error["param"] == "continue"
    assert "'tools'" in error["message"]
