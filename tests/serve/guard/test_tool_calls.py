"""Calls of tools in whole answers: what passes, what is mended, what is asked for again and how."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.serve.guard.requests import (
    GOOD,
    JSON_SCHEMA,
    TOOLS,
    URL,
    call,
    function,
    hello,
    with_tools,
)
from tests.serve.guard.scripted_upstream import Reply, ScriptedUpstream, calling, completion, error

from wending.serve.guard.guard_service import GuardSettings

BAD = '{"name": "Li", "age": -3}'
NAMED = {"type": "function", "function": {"name": "add_person"}}


async def ask(http: httpx.AsyncClient, status: int = 200, **fields: Any) -> dict[str, Any]:
    response = await http.post(URL, json=with_tools(**fields))
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


def calls_of(answer: dict[str, Any]) -> list[tuple[str, Any]]:
    calls = answer["choices"][0]["message"]["tool_calls"]
    assert all(call["id"] and call["type"] == "function" for call in calls)
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]


def kinds_of(answer: dict[str, Any]) -> list[str]:
    return [repair["kind"] for repair in answer["wending"]["guard"]["repairs"]]


@pytest.mark.parametrize(
    "reply",
    [
        calling(call()),
        calling(call(), call("{}", "stop", "c1"), text="Both:"),
        calling(call(f"  {GOOD}\n")),
        calling(call(extra={"x": 1}), finish_reason="stop"),
        calling({"id": "c0", "type": "custom", "custom": {"name": "shell", "input": "{"}}),
        completion("No need of a tool. {broken"),
        completion("One writes <tool_call> before a call, and `</tool_call>` behind it."),
    ],
)
async def test_what_is_right_passes_unchanged(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, reply: Reply
) -> None:
    upstream.script = [reply]
    assert await ask(http) == json.loads(reply.pieces[0])
    assert upstream.requests == [with_tools()]


@pytest.mark.parametrize(
    ("made", "good", "kinds"),
    [
        (call(f"{GOOD[:-1]},}}"), json.loads(GOOD), ["syntax"]),
        (call(f"```json\n{GOOD}\n```"), json.loads(GOOD), ["code_fence"]),
        (call('{"age": 3, "name": "Li"'), json.loads(GOOD), ["not_closed"]),
        (call(json.loads(GOOD)), json.loads(GOOD), ["arguments_not_text"]),
        (call("", "stop"), {}, ["no_arguments"]),
        (call(None, "stop"), {}, ["no_arguments"]),
        (call(id="", type=None), json.loads(GOOD), ["incomplete_call"]),
    ],
)
async def test_a_repair_is_said(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, made: Any, good: Any, kinds: list[str]
) -> None:
    upstream.script = [calling(call("{}", "stop"), made)]
    answer = await ask(http)
    assert calls_of(answer) == [("stop", {}), (made["function"]["name"], good)]
    assert answer["wending"]["guard"]["repairs"] == [{"choice": 0, "call": 1, "kind": kind} for kind in kinds]
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (call(BAD), "/age: "),
        (call("", "add_person"), "required"),
        (call("not JSON"), "not valid JSON"),
        (call("[]"), "object"),
        (call('{"age": 3, "name": "L'), "cut off"),
        (call('{"name": "Li", "age": 3, '), "cut off"),
        (call('{"why": 1}', "stop"), "why"),
        (call(name="remove_person"), "no function 'remove_person'"),
        (call(name=None), "names no function"),  # type: ignore[arg-type]
        ({"id": "c"}, "names no function"),
        ("call", "no call"),
    ],
)
async def test_a_wrong_call_is_asked_for_again(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, made: Any, said: str
) -> None:
    upstream.script = [calling(made), calling(call())]
    answer = await ask(http)
    assert calls_of(answer) == [("add_person", json.loads(GOOD))]
    assert answer["usage"]["total_tokens"] == 30
    guard = answer["wending"]["guard"]
    assert guard["asked"] == 2
    assert guard["repairs"] == []
    first = guard["problems"][0]
    assert (first["choice"], first["call"], first["try"]) == (0, 0, 1)
    assert any(said in problem["problem"] for problem in guard["problems"])
    assert any(said in str(message["content"]) for message in upstream.requests[1]["messages"])


async def test_each_call_is_answered_as_by_its_tool(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    wrong = calling(call(BAD), call("not JSON", id="c1"), call("{}", "stop", "c2"), text="Now:")
    upstream.script = [wrong, calling(call())]
    await ask(http, n=1, temperature=0.5)
    again = upstream.requests[1]
    assert again | {"messages": hello()["messages"]} == with_tools(n=1, temperature=0.5)
    asked, said, *answers = again["messages"]
    assert asked == hello()["messages"][0]
    assert said["role"] == "assistant"
    assert said["content"] == "Now:"
    assert said["tool_calls"] == [call(BAD), call("{}", id="c1"), call("{}", "stop", "c2")]
    assert [(answer["role"], answer["tool_call_id"]) for answer in answers] == [
        ("tool", "c0"),
        ("tool", "c1"),
        ("tool", "c2"),
    ]
    assert "/age: " in answers[0]["content"]
    assert "not JSON" in answers[1]["content"]  # which many an endpoint would fail over in a call
    assert "another call" in answers[2]["content"]


async def test_a_call_of_another_kind_stays_as_it_is(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    shell = {"id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    upstream.script = [calling(call(BAD), shell), calling(call())]
    await ask(http)
    said, *answers = upstream.requests[1]["messages"][1:]
    assert said["tool_calls"] == [call(BAD), shell]
    assert [answer["tool_call_id"] for answer in answers] == ["c0", "c1"]


@pytest.mark.parametrize("choice", ["required", NAMED])
async def test_a_call_that_must_be(http: httpx.AsyncClient, upstream: ScriptedUpstream, choice: Any) -> None:
    upstream.script = [completion("I would rather not."), completion(None), calling(call())]
    answer = await ask(http, tool_choice=choice)
    assert calls_of(answer) == [("add_person", json.loads(GOOD))]
    assert [problem["try"] for problem in answer["wending"]["guard"]["problems"]] == [1, 2]
    said, complaint = upstream.requests[1]["messages"][1:]
    assert said == {"role": "assistant", "content": "I would rather not."}
    assert complaint["role"] == "user"
    assert "no function was called" in complaint["content"]
    assert "add_person" in complaint["content"]
    assert upstream.requests[1]["tool_choice"] == choice


@pytest.mark.parametrize("choice", ["auto", "required"])
async def test_calls_that_are_no_list(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, choice: str
) -> None:
    message = {"role": "assistant", "content": None, "tool_calls": {"name": "add_person"}}
    wrong = completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])
    upstream.script = [wrong, calling(call())]
    answer = await ask(http, tool_choice=choice)
    assert calls_of(answer) == [("add_person", json.loads(GOOD))]
    assert "no list of calls" in answer["wending"]["guard"]["problems"][0]["problem"]
    assert "no list of calls" in upstream.requests[1]["messages"][-1]["content"]


async def test_a_call_of_another_than_the_named_one(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [calling(call("{}", "stop")), calling(call())]
    answer = await ask(http, tool_choice=NAMED)
    assert calls_of(answer) == [("add_person", json.loads(GOOD))]


async def test_no_call_may_be(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    text = '<tool_call>{"name": "stop"}</tool_call>'
    upstream.script = [calling(call()), completion(text)]
    answer = await ask(http, tool_choice="none")
    assert answer["choices"][0]["message"]["content"] == text
    assert "no function may be called" in answer["wending"]["guard"]["problems"][0]["problem"]


async def test_one_call_at_a_time(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [calling(call(), call(id="c1")), calling(call())]
    answer = await ask(http, parallel_tool_calls=False)
    assert len(calls_of(answer)) == 1
    assert "2 calls" in answer["wending"]["guard"]["problems"][0]["problem"]
    assert all("2 calls" in message["content"] for message in upstream.requests[1]["messages"][2:])


async def test_always_wrong_ends_honestly(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [calling(call(BAD))]
    response = await http.post(URL, json=with_tools())
    assert response.status_code == 502
    assert response.headers["x-should-retry"] == "false"
    failed = response.json()["error"]
    assert failed["code"] == "invalid_upstream_answer"
    assert failed["param"] == "tools"
    assert failed["last_text"] == BAD
    assert "no valid call of a tool in 3 tries" in failed["message"]
    assert len(response.json()["wending"]["guard"]["problems"]) == 3
    assert len(upstream.requests) == 3


async def test_a_refusal_to_be_asked_again(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [calling(call(BAD)), error(400, "no role 'tool' here")]
    failed = (await ask(http, 502))["error"]
    assert failed["last_text"] == BAD
    assert "no role 'tool' here" in failed["message"]


async def test_only_the_choice_at_fault(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    first, second = (
        json.loads(calling(call(arguments)).pieces[0])["choices"][0] for arguments in (GOOD, BAD)
    )
    upstream.script = [completion(choices=[first, second | {"index": 1}]), calling(call())]
    answer = await ask(http, n=2)
    assert answer["choices"] == [first, first | {"index": 1}]
    assert upstream.requests[1]["n"] == 1


TEXT_CALL = f'<tool_call>\n{{"name": "add_person", "arguments": {GOOD}}}\n</tool_call>'


@pytest.mark.parametrize(
    ("text", "outside", "kinds"),
    [
        (TEXT_CALL, None, []),
        (f"Let me see.\n{TEXT_CALL}\n", "Let me see.", []),
        (TEXT_CALL.replace("\n", ""), None, []),
        (TEXT_CALL.removesuffix("</tool_call>"), None, []),
        (TEXT_CALL.replace("arguments", "parameters"), None, []),
        (TEXT_CALL.replace(GOOD, json.dumps(GOOD)), None, []),
        (TEXT_CALL.replace(GOOD, GOOD[:-1]), None, ["not_closed"]),
        (TEXT_CALL.replace("\n{", "```json\n{").replace("}\n", "}\n```"), None, ["code_fence"]),
        (TEXT_CALL.replace('"name": "a', "'name': \"a"), None, ["syntax"]),
        (TEXT_CALL.replace("}\n", "}}\n"), None, ["text_around"]),
    ],
)
async def test_calls_in_the_text_become_calls(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, text: str, outside: str | None, kinds: list[str]
) -> None:
    upstream.script = [completion(text)]
    answer = await ask(http)
    [choice] = answer["choices"]
    assert calls_of(answer) == [("add_person", json.loads(GOOD))]
    assert choice["message"]["content"] == outside
    assert choice["message"]["reasoning"] == "thought 0"
    assert choice["finish_reason"] == "tool_calls"
    assert choice["logprobs"] is None
    assert answer["wending"]["guard"]["repairs"] == [
        {"choice": 0, "call": 0, "kind": kind} for kind in ("tool_call_in_text", *kinds)
    ]
    assert len(upstream.requests) == 1


async def test_several_calls_in_the_text(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion(f'{TEXT_CALL}\n<tool_call>{{"name": "stop"}}</tool_call>')]
    answer = await ask(http, response_format=JSON_SCHEMA)
    assert [name for name, _ in calls_of(answer)] == ["add_person", "stop"]
    assert kinds_of(answer) == ["tool_call_in_text", "tool_call_in_text", "no_arguments"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT_CALL.replace('"age": 3', '"age": -3'), "/age: "),
        (TEXT_CALL.replace("add_person", "add"), "no function 'add'"),
        (TEXT_CALL.replace('"name": "add_person", ', ""), "required"),
        ('<tool_call>{"name": "add_person", "arguments": {"name": "L', "cut off"),
        ("<tool_call>{this is no JSON}</tool_call>", "not valid JSON"),
    ],
)
async def test_a_wrong_call_in_the_text_is_asked_for_again(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, text: str, said: str
) -> None:
    """In the way it was made: an endpoint that does not read calls may not show them to its model either."""
    upstream.script = [completion(text), completion(TEXT_CALL)]
    answer = await ask(http)
    assert calls_of(answer) == [("add_person", json.loads(GOOD))]
    repeated, complaint = upstream.requests[1]["messages"][1:]
    assert repeated == {"role": "assistant", "content": text}
    assert complaint["role"] == "user"
    assert said in complaint["content"]


async def test_a_call_at_the_limit_may_lack_more_than_a_bracket(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [calling(call('{"age": 3, "name": "Li"'), finish_reason="length"), calling(call())]
    assert (await ask(http))["wending"]["guard"]["asked"] == 2


async def test_text_beside_tools_keeps_to_its_format(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [completion("no JSON"), calling(call())]
    assert calls_of(await ask(http, response_format=JSON_SCHEMA))
    assert "not the JSON" in upstream.requests[1]["messages"][-1]["content"]


async def test_text_beside_tools_is_continued(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("One, ", finish_reason="length"), completion(f"two.{TEXT_CALL}")]
    answer = await ask(http, **{"continue": 2})
    assert answer["choices"][0]["message"]["content"] == "One, two."
    assert calls_of(answer)
    upstream.script = [completion(TEXT_CALL[:40], finish_reason="length"), calling(call())]
    assert (await ask(http, **{"continue": 2}))["wending"]["guard"]["continued"] == 0
    failed = (await ask(http, 400, tool_choice="required", **{"continue": 2}))["error"]
    assert "'tool_choice'" in failed["message"]


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        (
            {"tools": [*TOOLS, function("f", {"properties": {"a": {"type": "objekt"}}})]},
            "tools[2].function.parameters",
            "at '/properties/a/type'",
        ),
        (
            {"tools": [function("f", {"$ref": "http://127.0.0.1:1/x"})], "tool_choice": "none"},
            "tools[0].function.parameters",
            "at '/$ref'",
        ),
        ({"tools": [function("f", "object")]}, "tools[0].function.parameters", "JSON schema"),
        ({"tool_choice": NAMED | {"function": {"name": "f"}}}, "tool_choice.function.name", "'f'"),
        ({"messages": "Hi"}, "messages", "list"),
    ],
)
async def test_what_cannot_be_held_to(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, fields: dict[str, Any], param: str, said: str
) -> None:
    failed = (await ask(http, 400, **fields))["error"]
    assert failed["param"] == param
    assert said in failed["message"]
    assert upstream.requests == []


async def test_functions_beside_tools_of_another_kind(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [calling(call(BAD)), calling(call())]
    assert calls_of(await ask(http, tools=[{"type": "their_own"}, *TOOLS]))
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("tools", [None, [], [3], [{"type": "function"}], [{"type": "web_search"}]])
async def test_other_tools_are_the_upstreams_business(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, tools: Any
) -> None:
    upstream.script = [calling(call("{broken", "unheard-of"))]
    assert await ask(http, tools=tools) == json.loads(upstream.script[0].pieces[0])


class TestDeadline:
    @pytest.fixture
    def settings(self) -> GuardSettings:
        return GuardSettings(deadline_s=3.0)  # long enough to be asked again on a busy machine

    async def test_the_first_answer_takes_the_time_it_takes(
        self, http: httpx.AsyncClient, upstream: ScriptedUpstream
    ) -> None:
        upstream.script = [Reply(calling(call()).pieces, delay_s=3.3)]
        assert calls_of(await ask(http))

    async def test_asking_again_has_its_own(
        self, http: httpx.AsyncClient, upstream: ScriptedUpstream
    ) -> None:
        upstream.script = [Reply(calling(call(BAD)).pieces, delay_s=3.3), error(503, "busy"), calling(call())]
        assert calls_of(await ask(http))

    async def test_asking_again_ends(self, http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
        upstream.script = [calling(call(BAD)), Reply(calling(call()).pieces, delay_s=30)]
        failed = (await ask(http, 502))["error"]
        assert failed["last_text"] == BAD
        assert "within 3 s" in failed["message"]

    async def test_a_call_that_must_be(self, http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
        upstream.script = [Reply(calling(call()).pieces, delay_s=30)]
        assert (await ask(http, 504, tool_choice="required"))["error"]["code"] == "upstream_timeout"
