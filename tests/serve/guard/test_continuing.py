"""Answers that reached their length, continued over several requests to the upstream."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.guard.live_guard import live_guard
from tests.serve.guard.requests import JSON_OBJECT, URL, hello
from tests.serve.guard.scripted_upstream import ScriptedUpstream, completion, error
from tests.serve.live_server import live_server

from wending.serve.guard.continuing import CONTINUE_FIELDS, without_repetition

ASKED = {"role": "user", "content": "Hi"}
LONG = "It was the best of times, "


def cut(*texts: str) -> Any:
    return completion(*texts, finish_reason="length")


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


async def ask(http: httpx.AsyncClient, times: int = 2, **fields: Any) -> dict[str, Any]:
    response = await http.post(URL, json=hello(**{"continue": times}, **fields))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_as_one_answer(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [cut("One, "), cut("two, "), completion("three.")]
    answer = await ask(http, 5, max_tokens=2)
    [choice] = answer["choices"]
    assert choice["message"]["content"] == "One, two, three."
    assert choice["finish_reason"] == "stop"
    assert answer["usage"] == {"prompt_tokens": 30, "completion_tokens": 15, "total_tokens": 45}
    assert (
        answer["wending"]["guard"] | {"asked": 3, "continued": 2, "failures": []}
        == answer["wending"]["guard"]
    )
    first, second, third = upstream.requests
    assert first == hello(max_tokens=2)
    assert second == first | {"messages": [ASKED, assistant("One, ")]} | CONTINUE_FIELDS
    assert third == first | {"messages": [ASKED, assistant("One, two, ")]} | CONTINUE_FIELDS


async def test_no_more_often_than_asked_for(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [cut("a"), cut("b"), cut("c")]
    answer = await ask(http, 1)
    assert answer["choices"][0]["message"]["content"] == "ab"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert len(upstream.requests) == 2
    for nothing in (0, None):
        upstream.requests.clear()
        upstream.script = [cut("a")]
        assert "wending" not in (await http.post(URL, json=hello(**{"continue": nothing}))).json()
        assert upstream.requests == [hello()]


@pytest.mark.parametrize(
    ("text", "more", "whole"),
    [
        (LONG, "it was the worst.", LONG + "it was the worst."),
        (LONG, "best of times, it was the worst.", LONG + "it was the worst."),
        (LONG, LONG + "it was the worst.", LONG + "it was the worst."),
        (LONG * 400, LONG * 400 + "the end", LONG * 400 + "the end"),
        ("ha, ha, ", "ha, ha, ha", "ha, ha, ha, ha, ha"),
        (
            "春眠不觉晓，處處聞啼鳥。夜来风雨声，",
            "處處聞啼鳥。夜来风雨声，花落",
            "春眠不觉晓，處處聞啼鳥。夜来风雨声，花落",
        ),
        (LONG, "times, it was", LONG + "times, it was"),  # too short to be sure
        ("", "text", "text"),
        (LONG, "", LONG),
        (LONG, LONG, LONG),
    ],
)
def test_repetitions(text: str, more: str, whole: str) -> None:
    assert text + without_repetition(text, more) == whole


async def test_what_the_upstream_says_again(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [cut(LONG), cut(LONG + "it was "), completion("of times, it was the worst.")]
    answer = await ask(http)
    assert answer["choices"][0]["message"]["content"] == LONG + "it was the worst."


async def test_an_upstream_that_only_repeats_is_not_asked_again(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [cut(LONG)]
    answer = await ask(http, 16)
    assert answer["choices"][0]["message"]["content"] == LONG
    assert len(upstream.requests) == 2


async def test_an_upstream_that_does_not_know_the_fields(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    unknown = error(400, "Unknown parameter: 'continue_final_message'.", "continue_final_message")
    upstream.script = [cut("a"), unknown, cut("b"), completion("c")]
    answer = await ask(http)
    assert answer["choices"][0]["message"]["content"] == "abc"
    assert [CONTINUE_FIELDS.items() <= request.items() for request in upstream.requests] == [
        *(False, True, False, False)
    ]


@pytest.mark.parametrize("status", [400, 500, 429])
async def test_what_is_there_stays_when_the_upstream_fails(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.script = [cut("a"), cut("b"), error(status, "planted")]
    answer = await ask(http, 3)
    assert answer["choices"][0]["message"]["content"] == "ab"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert "planted" in answer["wending"]["guard"]["failures"][0]


async def test_a_message_that_was_to_be_continued_already(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [cut("b"), completion("c")]
    await ask(http, messages=[ASKED, assistant("a")], **CONTINUE_FIELDS)
    assert [request["messages"] for request in upstream.requests] == [
        [ASKED, assistant("a")],
        [ASKED, assistant("ab")],
    ]


async def test_a_stream_comes_when_all_is_there(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [cut("One, "), completion("two.")]
    response = await http.post(URL, json=hello(**{"continue": 2}, stream=True))
    blocks = response.text.removesuffix("\n\n").split("\n\n")
    assert blocks.pop() == "data: [DONE]"
    chunks = [json.loads(block.removeprefix("data: ")) for block in blocks]
    assert chunks[0]["choices"][0]["delta"]["content"] == "One, two."
    assert chunks[1]["choices"][0]["finish_reason"] == "stop"
    assert not any("stream" in request for request in upstream.requests)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"continue": 17}, "17"),
        ({"continue": -1}, "-1"),
        ({"continue": True}, "True"),
        ({"continue": "2"}, "2"),
        ({"continue": 2, "response_format": JSON_OBJECT}, "'response_format'"),
        ({"continue": 2, "n": 2}, "'n'"),
        ({"continue": 2, "logprobs": True}, "'logprobs'"),
    ],
)
async def test_what_cannot_be(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, fields: dict[str, Any], says: str
) -> None:
    response = await http.post(URL, json=hello(**fields))
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == "continue"
    assert says in error["message"]
    assert not upstream.requests


def test_our_own_server() -> None:
    """It takes the fields, so that nothing is asked twice."""
    with live_server(FakeClient("abc" * 9)) as server, live_guard(server.url) as guard:
        body = {"model": "fake-model", "messages": [ASKED], "max_tokens": 4, "continue": 1}
        answer = httpx.post(guard + URL, json=body).json()
        assert answer["choices"][0]["message"]["content"] == "abcaabca"
        assert answer["wending"]["guard"]["asked"] == 2
        assert server.client.continued
