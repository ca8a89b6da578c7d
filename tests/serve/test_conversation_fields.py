"""The care of conversations as a client sees it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.running_app import CHAT

from wending.serve.app import create_app
from wending.serve.conversation_settings import ConversationSettings

URL = "/v1/chat/completions"
SENTENCE = {"truncation": "sentence"}
USER = {"role": "user", "content": "Hi"}
ASSISTANT = {"role": "assistant", "content": "I said 3"}
TOOL = {"type": "function", "function": {"name": "now"}}
CALL = {"id": "1", "type": "function", "function": {"name": "now", "arguments": "{}"}}


async def asked(http: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await http.post(URL, json=CHAT | {"wending_report": True} | fields)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def streamed(http: httpx.AsyncClient, **fields: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The text of a streamed answer's first choice, the chunk with its reason, and the last chunk."""
    response = await http.post(URL, json=CHAT | {"wending_report": True, "stream": True} | fields)
    assert response.status_code == 200, response.text
    blocks = response.text.removesuffix("\n\n").split("\n\n")
    *chunks, last = [json.loads(block.removeprefix("data: ")) for block in blocks[:-1]]
    choices = [choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == 0]
    text = "".join(choice["delta"].get("content", "") for choice in choices)
    return text, choices[-1], last


# Of "它是3.5。Or 4? Yes": from so many tokens on, so many characters are shown; 0 is all.
EXPECTED = [(15, 0), (11, 11), (6, 6), (1, 0)]


@pytest.mark.parametrize("max_tokens", range(1, 16))
async def test_a_stream_says_what_the_whole_answer_says(
    http: httpx.AsyncClient, client: FakeClient, max_tokens: int
) -> None:
    client.reply = "它是3.5。Or 4? Yes"
    whole = await asked(http, max_tokens=max_tokens, n=2, **SENTENCE)
    text, end, last = await streamed(http, max_tokens=max_tokens, n=2, **SENTENCE)
    [first, second] = whole["choices"]
    length = next(length for least, length in EXPECTED if max_tokens >= least) or max_tokens
    assert first["message"]["content"] == second["message"]["content"] == text == client.reply[:length]
    assert first["finish_reason"] == end["finish_reason"] == ("length" if max_tokens < 15 else "stop")
    cut = whole["wending"]["conversation"]["cut"]
    assert cut == last["wending"]["conversation"]["cut"]
    assert cut == [{"characters": max_tokens - len(text), "tokens": max_tokens - len(text)}] * 2
    assert whole["usage"]["completion_tokens"] == 2 * max_tokens


async def test_a_stream_sends_a_sentence_when_it_is_over(http: httpx.AsyncClient, client: FakeClient) -> None:
    """Nothing that might be cut, nor everything at the end."""
    client.reply = "One. Two. Three"
    response = await http.post(URL, json=CHAT | {"stream": True, "max_tokens": 12} | SENTENCE)
    texts = [
        choice["delta"]["content"]
        for block in response.text.split("\n\n")[:-2]
        for choice in json.loads(block.removeprefix("data: "))["choices"]
        if choice["delta"].get("content")
    ]
    assert texts == ["One.", " Two."]


async def test_continue_is_a_longer_answer(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.reply = "fourteen signs"
    client.finished.clear()
    for asked_for, shown, continued in [
        (0, 4, 0),
        (1, 8, 1),
        (2, 12, 2),
        (3, 14, 3),
        (16, 14, 3),
        (None, 4, 0),
    ]:
        answer = await asked(http, max_tokens=4, **{"continue": asked_for})
        [choice] = answer["choices"]
        assert choice["message"]["content"] == client.reply[:shown]
        assert choice["finish_reason"] == ("length" if shown < 14 else "stop")
        assert answer["usage"]["completion_tokens"] == shown
        assert answer["wending"]["conversation"]["continued"] == [continued]
        assert client.finished == [answer["id"]]  # one request of the engine
        text, end, _ = await streamed(http, max_completion_tokens=4, **{"continue": asked_for})
        assert (text, end["finish_reason"]) == (choice["message"]["content"], choice["finish_reason"])
        client.finished.clear()


async def test_continue_ends_with_the_context(http: httpx.AsyncClient) -> None:
    fields = {"max_tokens": 100, "continue": 16, "ignore_eos": True}
    answer = await asked(http, **fields)
    assert answer["usage"]["completion_tokens"] == 198
    assert answer["wending"]["max_tokens"] == 198
    assert answer["wending"]["conversation"]["continued"] == [1]


async def test_a_continued_answer_is_cut_at_its_very_end(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.reply = "One. Two. Three"
    answer = await asked(http, max_tokens=4, **{"continue": 2}, **SENTENCE)
    assert answer["choices"][0]["message"]["content"] == "One. Two."


async def test_a_final_message_is_continued(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.reply = ".14. And so"
    fields = {"messages": [USER, ASSISTANT], "continue_final_message": True, "add_generation_prompt": False}
    answer = await asked(http, max_tokens=8, **fields, **SENTENCE)
    assert client.continued
    assert answer["choices"][0]["message"]["content"] == ".14."
    assert answer["usage"]["prompt_tokens"] == len("HiI said 3")
    for other in ({}, {"add_generation_prompt": True}, {"continue_final_message": False}):
        await asked(http, messages=[USER, ASSISTANT], **other)
        assert not client.continued


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"truncation": "word"}, "truncation", "'none' or 'sentence'"),
        ({"truncation": True}, "truncation", "true"),
        (SENTENCE | {"logprobs": True}, "truncation", "'logprobs'"),
        (SENTENCE | {"response_format": {"type": "json_object"}}, "truncation", "'response_format'"),
        (SENTENCE | {"guided_regex": "a+"}, "truncation", "'guided_regex'"),
        (SENTENCE | {"tools": [TOOL]}, "truncation", "'tools'"),
        ({"continue": -1, "max_tokens": 5}, "continue", "-1"),
        ({"continue": 17, "max_tokens": 5}, "continue", "16"),
        ({"continue": "1", "max_tokens": 5}, "continue", '"1"'),
        ({"continue": True, "max_tokens": 5}, "continue", "true"),
        ({"continue": 3}, "continue", "3"),
        ({"continue_": 3}, "continue_", ""),
        ({"continue_final_message": True}, "continue_final_message", "'user'"),
        (
            {"continue_final_message": True, "messages": [USER, ASSISTANT | {"tool_calls": [CALL]}]},
            "continue_final_message",
            "calls tools",
        ),
        ({"continue_final_message": 1}, "continue_final_message", "1"),
        ({"add_generation_prompt": False}, "add_generation_prompt", "false"),
        (
            {"add_generation_prompt": True, "continue_final_message": True, "messages": [USER, ASSISTANT]},
            "add_generation_prompt",
            "true",
        ),
        ({"context_policy": "drop"}, "context_policy", "'refuse' or 'drop-oldest'"),
        ({"restate_system": -1}, "restate_system", "-1"),
        ({"restate_system": 1001}, "restate_system", "1000"),
        ({"restate_system": 1.5}, "restate_system", "1.5"),
    ],
)
async def test_what_cannot_be(http: httpx.AsyncClient, fields: dict[str, Any], param: str, says: str) -> None:
    response = await http.post(URL, json=CHAT | fields)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == param
    assert says in error["message"]


async def test_what_asks_for_nothing(http: httpx.AsyncClient) -> None:
    nothing = {
        "truncation": "none", "continue": 0, "continue_final_message": False, "add_generation_prompt": True,
        "context_policy": "refuse", "restate_system": 0, "logprobs": True,
    }  # fmt: skip
    response = await http.post(URL, json=CHAT | nothing)
    assert response.status_code == 200
    assert "X-Wending-Dropped-Turns" not in response.headers
    assert (await http.post(URL, json=CHAT | dict.fromkeys(nothing))).status_code == 200


LONG = [
    {"role": "system", "content": "Be terse."},
    *({"role": role, "content": role[0] * 20} for role in ["user", "assistant"] * 6),
    USER,
]


async def test_dropped_turns_are_always_told(http: httpx.AsyncClient, client: FakeClient) -> None:
    refused = await http.post(URL, json=CHAT | {"messages": LONG})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "context_length_exceeded"
    for stream in (False, True):
        fields = {"messages": LONG, "context_policy": "drop-oldest", "max_tokens": 20, "stream": stream}
        response = await http.post(URL, json=CHAT | fields)
        assert response.status_code == 200
        assert response.headers["X-Wending-Dropped-Turns"] == "2"
        assert ('"dropped_turns":2' in response.text) is not stream
        assert len(client.conversations[-1]) == len(LONG) - 4
        short = await http.post(URL, json=CHAT | {"context_policy": "drop-oldest", "stream": stream})
        assert short.headers["X-Wending-Dropped-Turns"] == "0"
    options = {"stream": True, "stream_options": {"include_usage": True}}
    response = await http.post(URL, json=CHAT | fields | options)
    assert '"dropped_turns":2' in response.text
    answer = await asked(http, messages=LONG, context_policy="drop-oldest", max_tokens=20, restate_system=4)
    assert answer["wending"]["conversation"] == {
        "context_policy": "drop-oldest",
        "dropped_turns": 5,
        "restated_system": 1,
        "continued": [0],
        "cut": [{"characters": 0, "tokens": 0}],
    }


async def test_a_server_that_drops_and_restates(client: FakeClient) -> None:
    app = create_app(client, conversation=ConversationSettings("drop-oldest", 2))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as http,
    ):
        while app.state.service.status()[0] == "starting":
            await asyncio.sleep(0)
        report = (await asked(http, messages=LONG))["wending"]["conversation"]
        assert report["dropped_turns"] > 0
        assert report["restated_system"] > 0
        refused = await http.post(URL, json=CHAT | {"messages": LONG, "context_policy": "refuse"})
        assert refused.status_code == 400
