"""Streams with tools: text passes byte for byte, calls come when they are valid; or all passes, checked."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.serve.guard.requests import GOOD, JSON_SCHEMA, URL, call, with_tools
from tests.serve.guard.scripted_upstream import Reply, ScriptedUpstream, calling, completion, event, stream

BAD = '{"name": "Li", "age": -3}'
TEXT_CALL = f'<tool_call>\n{{"name": "add_person", "arguments": {GOOD}}}\n</tool_call>'
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
REPORT = {"X-Wending-Report": "1"}


def part(delta: dict[str, Any], finish_reason: str | None = None, index: int = 0) -> bytes:
    return event([{"index": index, "delta": delta, "finish_reason": finish_reason}])


def streamed(*pieces: bytes) -> Reply:
    usage = b"data: " + json.dumps({"id": "chatcmpl-up", "choices": [], "usage": USAGE}).encode() + b"\n\n"
    return Reply([*pieces, usage, b"data: [DONE]\n\n"], content_type="text/event-stream")


def call_parts(arguments: str, index: int = 0, name: str = "add_person") -> list[bytes]:
    """A call as endpoints stream it: who is called, then the arguments bit by bit."""
    begin = {"index": index, "id": f"c{index}", "type": "function"}
    first = part({"tool_calls": [begin | {"function": {"name": name, "arguments": ""}}]})
    bits = [arguments[i : i + 5] for i in range(0, len(arguments), 5)]
    return [
        first,
        *(part({"tool_calls": [{"index": index, "function": {"arguments": bit}}]}) for bit in bits),
    ]


ROLE = part({"role": "assistant", "content": None})
END = part({}, "tool_calls")


async def chunks_of(http: httpx.AsyncClient, status: int = 200, **fields: Any) -> list[Any]:
    response = await http.post(URL, json=with_tools(stream=True, **fields))
    assert response.status_code == status, response.text
    lines = [line[6:] for line in response.text.split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def parts_of(chunks: list[Any], index: int = 0) -> list[Any]:
    return [
        choice
        for chunk in chunks
        if isinstance(chunk, dict)
        for choice in chunk.get("choices", [])
        if choice["index"] == index
    ]


def text_of(chunks: list[Any], index: int = 0) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in parts_of(chunks, index))


def calls_of(chunks: list[Any], index: int = 0) -> list[tuple[int, str, Any]]:
    return [
        (call["index"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for choice in parts_of(chunks, index)
        for call in choice["delta"].get("tool_calls") or ()
    ]


ADDED = (0, "add_person", json.loads(GOOD))


@pytest.mark.parametrize("mode", ["hold", "pass", None])
async def test_text_passes_byte_for_byte(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, mode: str | None
) -> None:
    upstream.script = [stream("春眠", "不觉", " <b>晓</b>", " <tool", "s> are <tool_call>", " tags", "\n\n")]
    fields = {} if mode is None else {"guard_stream": mode}
    response = await http.post(URL, json=with_tools(stream=True, **fields))
    if mode == "pass":
        assert response.content == b"".join(upstream.script[0].pieces)
    upstream.script = [stream("春眠", "不觉", " <b>晓</b>", "\n\n")]
    response = await http.post(URL, json=with_tools(stream=True, **fields))
    assert response.content == b"".join(upstream.script[0].pieces)
    assert upstream.requests == [with_tools(stream=True)] * 2


@pytest.mark.parametrize(
    "text", ["a <", "a <tool_call", "a <tool_call>", "<tools> <tool_call> <x", "<tool_call>\n"]
)
async def test_text_that_looks_like_a_call_is_all_there(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, text: str
) -> None:
    for pieces in (text, [text], [text, ""]):
        upstream.script = [stream(*pieces)]
        chunks = await chunks_of(http)
        assert text_of(chunks) == text
        assert parts_of(chunks)[-1]["finish_reason"] == "stop"
        assert chunks[-1] == "[DONE]"


async def test_calls_come_when_they_are_whole(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    thought = part({"reasoning_content": "Hm.", "tool_calls": []})
    pieces = [ROLE, part({"content": "Both:"}), *call_parts(GOOD), thought, *call_parts("{}", 1, "stop"), END]
    upstream.script = [streamed(*pieces)]
    chunks = await chunks_of(http, stream_options={"include_usage": True})
    assert text_of(chunks) == "Both:"
    assert calls_of(chunks) == [ADDED, (1, "stop", {})]
    assert [choice["delta"] for choice in parts_of(chunks)][2] == {
        "reasoning_content": "Hm.",
        "tool_calls": [],
    }
    assert parts_of(chunks)[-1] == {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    assert chunks[-2]["usage"] == USAGE
    assert chunks[-1] == "[DONE]"
    assert chunks[3]["unknown_field"] == [1]
    assert "wending" not in str(chunks)


async def test_a_repaired_call(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [streamed(ROLE, *call_parts(f"{GOOD[:-1]},}}"), END)]
    chunks = await chunks_of(http)
    assert calls_of(chunks) == [ADDED]
    assert chunks[-2]["choices"] == []
    assert chunks[-2]["wending"]["guard"]["repairs"] == [{"choice": 0, "call": 0, "kind": "syntax"}]


async def test_a_wrong_call_is_asked_for_again(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [
        streamed(ROLE, part({"content": "Now: "}), *call_parts(BAD), END),
        calling(call(), text="Sorry: "),
    ]
    chunks = await chunks_of(http, stream_options={"include_usage": True})
    assert text_of(chunks) == "Now: "  # it was out already
    assert calls_of(chunks) == [ADDED]
    assert chunks[-3]["usage"]["total_tokens"] == 30
    assert chunks[-2]["wending"]["guard"]["asked"] == 2
    again = upstream.requests[1]
    assert "stream" not in again
    assert "stream_options" not in again
    assert [message["role"] for message in again["messages"]] == ["user", "assistant", "tool"]
    assert again["messages"][1]["tool_calls"] == [call(BAD)]


@pytest.mark.parametrize(("before", "after"), [("", "Sorry."), ("Now: ", "Now: \n\nSorry.")])
async def test_text_instead_of_a_wrong_call(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, before: str, after: str
) -> None:
    upstream.script = [
        streamed(ROLE, part({"content": before}), *call_parts(BAD), END),
        completion("Sorry."),
    ]
    chunks = await chunks_of(http)
    assert text_of(chunks) == after
    assert parts_of(chunks)[-1]["finish_reason"] == "stop"


async def test_always_wrong_ends_with_an_error(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [streamed(ROLE, *call_parts(BAD), END), calling(call(BAD))]
    chunks = await chunks_of(http)
    assert chunks[-1]["error"]["code"] == "invalid_upstream_answer"
    assert chunks[-1]["error"]["last_text"] == BAD
    assert calls_of(chunks) == []
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
async def test_calls_in_the_text_become_calls(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, size: int
) -> None:
    text = f"Both: {TEXT_CALL}\n" + '<tool_call>{"name": "stop", "arguments": {}}</tool_call>'
    upstream.script = [stream(*(text[i : i + size] for i in range(0, len(text), size)))]
    chunks = await chunks_of(http)
    assert text_of(chunks).rstrip() == "Both:"
    assert calls_of(chunks) == [ADDED, (1, "stop", {})]
    assert parts_of(chunks)[-1]["finish_reason"] == "tool_calls"
    kinds = [repair["kind"] for repair in chunks[-2]["wending"]["guard"]["repairs"]]
    assert kinds == ["tool_call_in_text"] * 2


async def test_choices_are_held_one_by_one(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    mixed = event(
        [
            {"index": 0, "delta": {"content": "text"}, "finish_reason": None},
            {"index": 1, "delta": {"tool_calls": [{"index": 0, **call(BAD)}]}, "finish_reason": "tool_calls"},
        ]
    )
    upstream.script = [
        streamed(ROLE, mixed, part({"content": " goes on"}), part({}, "stop")),
        calling(call()),
    ]
    chunks = await chunks_of(http, n=2)
    assert text_of(chunks) == "text goes on"
    assert calls_of(chunks, 1) == [ADDED]
    assert calls_of(chunks) == []
    assert upstream.requests[1]["n"] == 1


async def test_an_end_that_is_not_said(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [streamed(ROLE, *call_parts(GOOD))]
    chunks = await chunks_of(http)
    assert calls_of(chunks) == [ADDED]
    assert parts_of(chunks)[-1]["finish_reason"] == "tool_calls"


async def test_an_upstream_that_does_not_stream(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [calling(call(BAD)), calling(call())]
    assert calls_of(await chunks_of(http)) == [ADDED]


@pytest.mark.parametrize("fields", [{"tool_choice": "required"}, {"response_format": JSON_SCHEMA}])
async def test_where_no_text_may_come_all_is_held(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, fields: dict[str, Any]
) -> None:
    upstream.script = [completion("no"), calling(call(), text=None)]
    chunks = await chunks_of(http, **fields)
    assert (text_of(chunks), calls_of(chunks)) == ("", [ADDED])
    upstream.script = [completion("no")]
    assert "stream" not in upstream.requests[0]
    response = await http.post(URL, json=with_tools(stream=True, **fields))
    assert response.status_code == 502


@pytest.mark.parametrize(
    "reply",
    [
        streamed(ROLE, *call_parts(GOOD), *call_parts("{}", 1, "stop"), END),
        stream(*TEXT_CALL),  # a client that reads calls in the text itself gets them there
        stream("text"),
        streamed(part({"tool_calls": [{"index": 0, "function": {"name": "stop", "arguments": "{}"}}]}), END),
    ],
)
async def test_what_passes_is_not_changed(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, reply: Reply
) -> None:
    upstream.script = [reply]
    response = await http.post(URL, json=with_tools(stream=True, guard_stream="pass"))
    assert response.content == b"".join(reply.pieces)


@pytest.mark.parametrize(
    ("pieces", "fields", "said"),
    [
        (call_parts(BAD), {}, "/age: "),
        (call_parts(GOOD, name="unheard-of"), {}, "no function 'unheard-of'"),
        (call_parts(f"{GOOD[:-1]},}}"), {}, "needs a repair: syntax"),
        ([part({"content": "no"})], {"tool_choice": "required"}, "no function was called"),
    ],
)
async def test_what_passes_and_is_wrong_ends_with_an_error(
    http: httpx.AsyncClient,
    upstream: ScriptedUpstream,
    pieces: list[bytes],
    fields: dict[str, Any],
    said: str,
) -> None:
    upstream.script = [streamed(ROLE, *pieces, END)]
    chunks = await chunks_of(http, guard_stream="pass", **fields)
    assert chunks[-1]["error"]["code"] == "invalid_upstream_answer"
    assert chunks[-1]["error"]["last_text"]
    assert said in chunks[-1]["wending"]["guard"]["problems"][0]["problem"]
    assert not any(choice["finish_reason"] for choice in parts_of(chunks))
    assert len(upstream.requests) == 1
