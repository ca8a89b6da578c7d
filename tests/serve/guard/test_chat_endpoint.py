"""Whole answers: what the guard passes on, mends, asks for again and gives up, over planted faults."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.serve.guard.requests import GOOD, JSON_OBJECT, JSON_SCHEMA, PERSON, URL, hello, person
from tests.serve.guard.scripted_upstream import Reply, ScriptedUpstream, completion, error

from wending.serve.guard import retries
from wending.serve.guard.guard_service import GuardSettings
from wending.serve.guard.retries import MAX_FAILURES

REPORT = {"X-Wending-Report": "1"}


async def ask(http: httpx.AsyncClient, status: int = 200, **fields: Any) -> dict[str, Any]:
    response = await http.post(URL, json=person(**fields))
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


def content(answer: dict[str, Any], choice: int = 0) -> str:
    text: str = answer["choices"][choice]["message"]["content"]
    return text


async def test_free_text_passes_unchanged_both_ways(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [completion('{"broken', "second")]
    request = hello(n=2, top_k=3, their_own={"x": [None, 1.5]}, tools=[{"type": "function"}])
    response = await http.post(URL, json=request)
    assert response.json() == json.loads(upstream.script[0].pieces[0])
    assert upstream.requests == [request]
    assert upstream.authorization == ["Bearer secret"]


@pytest.mark.parametrize("response_format", [{"type": "text"}, {"type": "their_own"}, None])
async def test_other_formats_are_the_upstreams_business(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, response_format: Any
) -> None:
    upstream.script = [completion("no JSON")]
    response = await http.post(URL, json=hello(response_format=response_format))
    assert content(response.json()) == "no JSON"


async def test_valid_json_passes_unchanged(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion(GOOD)]
    assert await ask(http, seed=5) == json.loads(upstream.script[0].pieces[0])
    assert upstream.requests == [person(seed=5)]


async def test_the_guards_own_field_stays_here(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion(GOOD)]
    await ask(http, guard_stream="hold")
    assert upstream.requests == [person()]


async def test_the_report_comes_when_asked_for(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [error(500, "once"), completion(GOOD, wending={"theirs": 1})]
    response = await http.post(URL, json=person(), headers=REPORT)
    report = response.json()["wending"]
    assert report["theirs"] == 1
    guard = report["guard"]
    assert (guard["asked"], guard["repairs"], guard["problems"]) == (1, [], [])
    assert "once" in guard["failures"][0]


async def test_a_repair_is_said(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion(f"```json\n{GOOD[:-1]},}}\n```")]
    answer = await ask(http)
    assert json.loads(content(answer)) == json.loads(GOOD)
    assert answer["choices"][0]["message"]["reasoning"] == "thought 0"
    assert answer["choices"][0]["logprobs"] is None
    assert answer["unknown_field"] == [1]
    kinds = [repair["kind"] for repair in answer["wending"]["guard"]["repairs"]]
    assert kinds == ["code_fence", "syntax"]
    assert len(upstream.requests) == 1


async def test_wrong_once_then_good(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    bad = '{"name": "Li", "age": -3}'
    upstream.script = [completion(bad), completion(GOOD)]
    answer = await ask(http, temperature=0.5)
    assert content(answer) == GOOD
    assert answer["usage"] == {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
    guard = answer["wending"]["guard"]
    assert guard["asked"] == 2
    assert guard["problems"][0]["choice"] == 0
    assert guard["problems"][0]["try"] == 1
    assert guard["problems"][0]["problem"].startswith("/age: ")
    again = upstream.requests[1]
    assert again["temperature"] == 0.5
    assert again["response_format"] == JSON_SCHEMA
    assert again["messages"][:2] == [*person()["messages"], {"role": "assistant", "content": bad}]
    assert "/age: " in again["messages"][2]["content"]


async def test_cut_off_at_the_limit_is_said_to_the_model(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [completion('{"name": "Li", "a', finish_reason="length"), completion(GOOD)]
    assert content(await ask(http)) == GOOD
    assert "be shorter" in upstream.requests[1]["messages"][-1]["content"]


async def test_cut_off_but_complete_enough(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion('{"notes": ["one", "tw', finish_reason="length")]
    answer = await ask(http, response_format=JSON_OBJECT)
    assert json.loads(content(answer)) == {"notes": ["one", "tw"]}
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["wending"]["guard"]["repairs"] == [{"choice": 0, "kind": "cut_off"}]


async def test_always_wrong_ends_honestly(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("One."), completion("Two."), completion("Three."), completion(GOOD)]
    response = await http.post(URL, json=person())
    assert response.status_code == 502
    assert response.headers["x-should-retry"] == "false"
    failed = response.json()["error"]
    assert failed["code"] == "invalid_upstream_answer"
    assert failed["last_text"] == "Three."
    assert "in 3 tries" in failed["message"]
    assert response.json()["wending"]["guard"]["asked"] == 3
    assert len(upstream.requests) == 3


async def test_a_refusal_to_be_asked_again_is_not_the_clients_mistake(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [completion("One."), error(400, "the context is full", param="messages")]
    failed = (await ask(http, 502))["error"]
    assert failed["code"] == "invalid_upstream_answer"
    assert "the context is full" in failed["message"]
    assert failed["last_text"] == "One."


async def test_each_choice_is_settled_by_itself(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    other = '{"name": "Wu", "age": 4}'
    upstream.script = [completion(GOOD, "no", f"Here: {other}"), completion(other)]
    answer = await ask(http, n=3)
    assert [content(answer, i) for i in range(3)] == [GOOD, other, other]
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert upstream.requests[1]["n"] == 1
    assert answer["wending"]["guard"]["repairs"] == [{"choice": 2, "kind": "text_around"}]


@pytest.mark.parametrize(
    "message", [{"content": None, "tool_calls": [{"id": "c"}]}, {"content": None, "refusal": "No."}]
)
async def test_a_tool_call_or_a_refusal_is_no_broken_json(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, message: dict[str, Any]
) -> None:
    upstream.script = [completion(None, choices=[{"index": 0, "message": message, "finish_reason": "x"}])]
    assert (await ask(http))["choices"][0]["message"] == message
    assert len(upstream.requests) == 1


async def test_no_content_at_all_is_asked_for_again(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [completion(None), completion(GOOD)]
    assert content(await ask(http)) == GOOD


REFUSALS = (
    error(400, "response_format is not supported"),
    error(422, "Unsupported value", param="response_format"),
    error(400, "unknown type json_schema"),
)


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refused_format_is_asked_for_in_words(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, refusal: Reply
) -> None:
    upstream.script = [refusal, completion("no"), completion(GOOD)]
    answer = await ask(http)
    assert content(answer) == GOOD
    assert answer["wending"]["guard"]["response_format"] == "written into the system message"
    for request in upstream.requests[1:]:
        assert "response_format" not in request
        assert request["messages"][0]["role"] == "system"
        assert json.dumps(PERSON) in request["messages"][0]["content"]
    assert [message["role"] for message in upstream.requests[2]["messages"]] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip


async def test_a_system_message_is_kept(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    for system in ("Be brief.", [{"type": "text", "text": "Be brief."}]):
        upstream.script = [REFUSALS[0], completion(GOOD)]
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "Hi"}]
        await ask(http, messages=messages)
        sent = upstream.requests[-1]["messages"]
        assert [message["role"] for message in sent] == ["system", "user"]
        assert "Be brief." in str(sent[0]["content"])
        assert "JSON schema" in str(sent[0]["content"])


@pytest.mark.parametrize("fault", [error(500, "x"), error(503, "x"), error(429, "x"), Reply(reset_after=0)])
async def test_what_may_pass_is_tried_again(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, fault: Reply
) -> None:
    upstream.script = [fault, fault, completion(GOOD)]
    assert content(await ask(http)) == GOOD
    assert upstream.requests == [person()] * 3


async def test_an_answer_that_breaks_off_is_tried_again(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    whole = completion(GOOD)
    half = Reply([whole.pieces[0][:40], b""], reset_after=1)
    upstream.script = [half, whole]
    assert content(await ask(http)) == GOOD


async def test_retry_after_is_honoured(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(retries, "sleep", sleep)
    upstream.script = [error(429, "slow down", **{"Retry-After": "7"}), completion(GOOD)]
    assert content(await ask(http)) == GOOD
    assert len(pauses) == 1
    assert pauses[0] >= 7


async def test_retry_after_beyond_the_deadline_is_told_at_once(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [error(429, "slow down", **{"Retry-After": "3600"})]
    response = await http.post(URL, json=hello())
    assert response.status_code == 429
    assert response.headers["retry-after"] == "3600"
    assert response.json()["error"]["message"] == "slow down"
    assert len(upstream.requests) == 1


async def test_an_upstream_that_keeps_failing(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [error(500, "out of order")]
    failed = await ask(http, 502)
    assert failed["error"]["code"] == "upstream_error"
    assert "out of order" in failed["error"]["message"]
    assert len(upstream.requests) == MAX_FAILURES


async def test_an_upstream_that_says_not_to_retry(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [error(500, "it would die again", **{"x-should-retry": "false"})]
    await ask(http, 502)
    assert len(upstream.requests) == 1


async def test_a_refusal_is_passed_on_as_it_came(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [error(400, "temperature is too high", param="temperature")]
    assert await ask(http, 400) == json.loads(upstream.script[0].pieces[0])
    upstream.script = [Reply([b"<h1>Not here</h1>"], 404, "text/html")]
    failed = (await ask(http, 404))["error"]
    assert failed["code"] == "upstream_refused"
    assert "Not here" in failed["message"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_not_the_clients(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.script = [error(status, "bad key secret")]
    failed = (await ask(http, 502))["error"]
    assert failed["code"] == "upstream_unauthorized"
    assert "secret" not in failed["message"]
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "body", [b"<html>Welcome</html>", b"", b"[]", b'{"choices": []}', b'{"choices": [3]}', b'{"choices"',
             b'{"choices": [{"message": "x"}]}']
)  # fmt: skip
async def test_a_body_that_is_no_chat_completion(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, body: bytes
) -> None:
    upstream.script = [Reply([body], content_type="text/html")]
    failed = (await ask(http, 502))["error"]
    assert failed["code"] == "invalid_upstream_answer"
    assert body[:10].decode() in failed["message"]


async def test_a_wrong_content_type_does_not_matter(
    http: httpx.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.script = [Reply(completion(GOOD).pieces, content_type="text/plain")]
    assert content(await ask(http)) == GOOD


async def test_a_redirect_is_not_followed(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    upstream.script = [Reply([b"moved"], 302, headers={"Location": "http://example.invalid/"})]
    assert (await ask(http, 502))["error"]["code"] == "upstream_error"


class TestShortDeadline:
    @pytest.fixture
    def settings(self) -> GuardSettings:
        return GuardSettings(deadline_s=1.0)

    async def test_a_slow_upstream(self, http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
        upstream.script = [Reply(completion(GOOD).pieces, delay_s=30)]
        assert (await ask(http, 504))["error"]["code"] == "upstream_timeout"
        assert await asyncio.to_thread(upstream.hung_up.wait, 20)

    async def test_free_text_has_the_time_it_takes(
        self, http: httpx.AsyncClient, upstream: ScriptedUpstream
    ) -> None:
        upstream.script = [Reply(completion("slow").pieces, delay_s=1.3)]
        assert content((await http.post(URL, json=hello())).json()) == "slow"


class TestDeadline:
    @pytest.fixture
    def settings(self) -> GuardSettings:
        return GuardSettings(deadline_s=4.0)  # long enough for a first answer on a busy machine

    async def test_a_wrong_answer_then_a_slow_one(
        self, http: httpx.AsyncClient, upstream: ScriptedUpstream
    ) -> None:
        upstream.script = [completion("wrong"), Reply(completion(GOOD).pieces, delay_s=30)]
        failed = (await ask(http, 502))["error"]
        assert failed["code"] == "invalid_upstream_answer"
        assert failed["last_text"] == "wrong"
        assert "within 4 s" in failed["message"]


class TestOneModel:
    @pytest.fixture
    def settings(self) -> GuardSettings:
        return GuardSettings(model="up")

    async def test_no_other_may_be_named(self, http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
        upstream.script = [completion("ok")]
        response = await http.post(URL, json=hello(model="other"))
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "model_not_found"
        assert upstream.requests == []
        unnamed = {name: value for name, value in hello().items() if name != "model"}
        assert (await http.post(URL, json=unnamed)).status_code == 200
        assert upstream.requests == [hello()]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"guard_stream": "maybe"}, "guard_stream"),
        ({"guard_stream": 1}, "guard_stream"),
        ({"stream": "yes"}, "stream"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": []}, "messages"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": 3}}},
            "response_format.json_schema.schema",
        ),
    ],
)
async def test_what_the_guard_must_understand_is_checked(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, fields: dict[str, Any], param: str
) -> None:
    failed = (await ask(http, 400, **fields))["error"]
    assert failed["param"] == param
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"properties": {"a": {"type": "objekt"}}}, "/properties/a/type"),
        ({"$ref": "http://127.0.0.1:1/schema"}, "/$ref"),
    ],
)
async def test_a_schema_that_is_none(
    http: httpx.AsyncClient, upstream: ScriptedUpstream, schema: Any, pointer: str
) -> None:
    failed = await ask(http, 400, response_format={"type": "json_schema", "json_schema": {"schema": schema}})
    assert failed["error"]["code"] == "invalid_json_schema"
    assert f"at '{pointer}'" in failed["error"]["message"]
    assert upstream.requests == []


async def test_nan_is_no_json(http: httpx.AsyncClient, upstream: ScriptedUpstream) -> None:
    content = json.dumps(hello(temperature=float("nan")))
    response = await http.post(URL, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert upstream.requests == []


async def test_shutdown_ends_what_waits(
    http: httpx.AsyncClient, app: FastAPI, upstream: ScriptedUpstream
) -> None:
    upstream.script = [Reply(completion(GOOD).pieces, delay_s=30)]
    answer = asyncio.create_task(http.post(URL, json=person()))
    while not upstream.requests:
        await asyncio.sleep(0.005)
    app.state.service.stopping.set()
    response = await answer
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "shutting_down"
    assert await asyncio.to_thread(upstream.hung_up.wait, 20)


async def test_the_page_is_there(http: httpx.AsyncClient) -> None:
    response = await http.get("/")
    assert response.status_code == 200
    assert "html" in response.headers["content-type"]
    assert (await http.get("/v1/nothing")).json()["error"]["code"] == "unknown_url"
