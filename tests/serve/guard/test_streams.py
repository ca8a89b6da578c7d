"""Streams: free text and passed JSON go through byte for byte, held JSON comes when it is valid."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.serve.guard.requests import GOOD, JSON_OBJECT, URL, hello, person
from tests.serve.guard.scripted_upstream import (
    Reply,
    ScriptedUpstream,
    completion,
    error,
    event,
    stream,
)

from wending.serve.guard import held_stream
from wending.serve.guard.retries import MAX_FAILURES

TEXT = ("春眠", "不觉晓", ", 🐦 Résumé", "\n\n")
REPORT = {"X-Wending-Report": "1"}


async def events(http: httpx.AsyncClient, request: dict[str, Any], **headers: str) -> list[Any]:
    """The data of all events, parsed; "[DONE]" as it is."""
    response = await http.post(URL, json=request | {"stream": True}, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line[6:] for line in response.text.split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def text_of(chunks: list[Any]) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks
        if isinstance(chunk, dict)
        for choice in chunk.get("choices", [])
    )


@pytest.mark.parametrize("size", [None, 1, 2, 7, 100, 100_000])
async def test_free_text_passes_whatever_the_borders(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, size: int | None
) -> None:
    sent = stream(*TEXT)
    upstream.script = [sent if size is None else sent.cut(size)]
    response = await http.post(URL, json=hello(stream=True))
    assert response.content == b"".join(sent.pieces)
    assert upstream.requests == [hello(stream=True)]


async def test_pings_and_odd_line_ends(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    sent = stream(*TEXT)
    pieces = [b": ping\r\n\r\n" + piece.replace(b"\n", b"\r\n") for piece in sent.pieces]
    upstream.script = [Reply(pieces, content_type="text/plain")]
    chunks = await events(http, hello())
    assert text_of(chunks) == "".join(TEXT)
    assert chunks[-1] == "[DONE]"


async def test_a_stream_without_done_is_closed_by_us(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [stream(*TEXT, done=False)]
    assert (await events(http, hello()))[-1] == "[DONE]"


@pytest.mark.parametrize(
    "fault",
    [
        error(503, "busy"),
        Reply(reset_after=0),
        Reply(stream(*TEXT).pieces, content_type="text/event-stream", reset_after=1),  # after the role
        stream(finish_reason=None, done=False),
    ],
)
async def test_before_the_first_token_everything_is_tried_again(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, fault: Reply
) -> None:
    upstream.script = [fault, fault, stream(*TEXT)]
    chunks = await events(http, hello())
    assert text_of(chunks) == "".join(TEXT)
    assert sum("role" in chunk["choices"][0]["delta"] for chunk in chunks[:-1]) == 1
    assert len(upstream.requests) == 3


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (
            Reply(stream(*TEXT).pieces, content_type="text/event-stream", reset_after=3),
            "upstream_unreachable",
        ),
        (stream(*TEXT, finish_reason=None, done=False), "upstream_cut_off"),
        (
            stream(*TEXT, finish_reason=None, extra=[b'data: {"error": {"message": "planted"}}\n\n']),
            "upstream_error",
        ),
        (stream(*TEXT, finish_reason=None, extra=[b"data: {{{\n\n"]), "invalid_upstream_answer"),
        (stream(*TEXT, finish_reason=None, extra=[b'data: {"choices": 3}\n\n']), "invalid_upstream_answer"),
    ],
)
async def test_after_the_first_token_nothing_is_tried_again(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, fault: Reply, code: str
) -> None:
    upstream.script = [fault, stream("never")]
    chunks = await events(http, hello())
    assert chunks[-1]["error"]["code"] == code
    assert text_of(chunks).startswith("春眠")
    assert "[DONE]" not in chunks
    assert len(upstream.requests) == 1


async def test_an_upstream_that_keeps_failing_gets_its_own_status(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [error(500, "out of order")]
    response = await http.post(URL, json=hello(stream=True))
    assert response.status_code == 502
    assert len(upstream.requests) == MAX_FAILURES
    upstream.script = [error(400, "no", param="top_k")]
    response = await http.post(URL, json=hello(stream=True))
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "top_k"


async def test_an_upstream_that_does_not_stream(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("whole", "second")]
    chunks = await events(http, hello(n=2, stream_options={"include_usage": True}))
    assert text_of(chunks) == "wholesecond"
    assert chunks[0]["object"] == "chat.completion.chunk"
    assert chunks[0]["choices"][0]["delta"]["reasoning"] == "thought 0"
    assert chunks[-2]["usage"]["total_tokens"] == 15
    assert chunks[-1] == "[DONE]"


async def test_an_upstream_that_sends_a_page(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [Reply([b"<html>Welcome</html>"], content_type="text/html")]
    response = await http.post(URL, json=hello(stream=True))
    assert response.status_code == 502
    assert "Welcome" in response.json()["error"]["message"]


async def test_held_json_comes_when_it_is_valid(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("no"), completion(GOOD)]
    chunks = await events(http, person(stream_options={"include_usage": True}))
    assert text_of(chunks) == GOOD
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[1]["choices"][0]["finish_reason"] == "stop"
    assert chunks[2]["usage"]["total_tokens"] == 30
    assert chunks[3]["wending"]["guard"]["asked"] == 2
    assert chunks[3]["choices"] == []
    assert chunks[4:] == ["[DONE]"]
    assert upstream.requests[0] == person()


async def test_held_json_that_needed_nothing_says_nothing(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [completion(GOOD)]
    assert not any("wending" in chunk for chunk in await events(http, person(guard_stream="hold")))
    assert any("wending" in chunk for chunk in await events(http, person(), **REPORT))


async def test_held_json_that_never_gets_valid_has_its_own_status(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [completion("no")]
    response = await http.post(URL, json=person(stream=True))
    assert response.status_code == 502
    assert response.json()["error"]["last_text"] == "no"


async def test_pings_while_held(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_stream, "PING_INTERVAL_S", 0.05)
    upstream.script = [Reply(completion(GOOD).pieces, delay_s=0.5)]
    response = await http.post(URL, json=person(stream=True))
    assert response.text.startswith(": ping\n\n: ping\n\n")
    assert response.text.endswith("data: [DONE]\n\n")
    upstream.script = [Reply(completion("no").pieces, delay_s=0.5)]
    response = await http.post(URL, json=person(stream=True))
    assert response.status_code == 200  # it had begun
    assert '"invalid_upstream_answer"' in response.text
    assert "[DONE]" not in response.text


async def test_held_tool_calls_get_their_index(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function"}]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    upstream.script = [completion(choices=[choice])]
    chunks = await events(http, person())
    assert chunks[0]["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "id": "c", "type": "function"}]
    assert chunks[1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_passed_json_that_is_valid(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [stream(*GOOD)]
    response = await http.post(URL, json=person(stream=True, guard_stream="pass"))
    assert response.content == b"".join(upstream.script[0].pieces)
    assert upstream.requests == [person(stream=True)]
    chunks = await events(http, person(guard_stream="pass"), **REPORT)
    assert chunks[-2]["wending"]["guard"]["asked"] == 1
    assert chunks[-1] == "[DONE]"


@pytest.mark.parametrize("text", ["no", GOOD[:-1], f"```json\n{GOOD}\n```", '{"name": "Li", "age": "x"}', ""])
async def test_passed_json_that_is_wrong_ends_with_an_error(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, text: str
) -> None:
    upstream.script = [stream(*text)]
    response = await http.post(URL, json=person(stream=True, guard_stream="pass"))
    assert '"finish_reason": "stop"' not in response.text
    last = json.loads(response.text.rstrip().split("\n")[-1].removeprefix("data: ").strip() or "{}")
    assert last["error"]["code"] == "invalid_upstream_answer"
    assert last["error"]["last_text"] == text
    assert last["wending"]["guard"]["problems"]
    assert len(upstream.requests) == 1


async def test_passed_refusals_and_tool_calls_are_no_broken_json(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    refusal = event([{"index": 0, "delta": {"refusal": "No."}, "finish_reason": None}])
    role, *end = stream().pieces
    pieces = [role, refusal, *end]
    upstream.script = [Reply(pieces, content_type="text/event-stream")]
    assert (await events(http, person(guard_stream="pass")))[-1] == "[DONE]"


async def test_passed_json_whose_end_is_not_said(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [stream('{"a": 1', finish_reason=None)]
    chunks = await events(http, hello(response_format=JSON_OBJECT, guard_stream="pass"))
    assert chunks[-1]["error"]["code"] == "invalid_upstream_answer"
    upstream.script = [stream('{"a": 1}', finish_reason=None)]
    assert (await events(http, hello(response_format=JSON_OBJECT, guard_stream="pass")))[-1] == "[DONE]"


async def test_passed_json_whose_format_is_refused(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [error(400, "response_format: unknown"), stream('{"a": 1}')]
    chunks = await events(http, hello(response_format=JSON_OBJECT, guard_stream="pass"))
    assert text_of(chunks) == '{"a": 1}'
    assert "response_format" not in upstream.requests[1]
    assert chunks[-2]["wending"]["guard"]["response_format"] == "written into the system message"
