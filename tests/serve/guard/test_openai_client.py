"""The official openai client through a real guard: sync, async, streams, `parse`, errors, hang-up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import openai
import pydantic
import pytest
from tests.serve.guard.live_guard import live_guard
from tests.serve.guard.requests import GOOD, call, hello, person
from tests.serve.guard.scripted_upstream import Reply, ScriptedUpstream, calling, completion, error, stream

TEXT = ("春眠", "不觉晓", "。🐦")


class Person(pydantic.BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module")
def guard_url(running_upstream: ScriptedUpstream) -> Iterator[str]:
    with live_guard(running_upstream.url) as url:
        yield url + "/v1"


@pytest.fixture
def client(guard_url: str, upstream: ScriptedUpstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=guard_url, api_key="the client's") as client:
        yield client


def test_free_text_whole_and_streamed(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("".join(TEXT)), stream(*TEXT)]
    whole = client.chat.completions.create(**hello())
    parts = [
        chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(**hello(stream=True))
    ]
    assert "".join(parts) == whole.choices[0].message.content == "".join(TEXT)
    assert upstream.authorization == [None, None]  # the client's key is none of the upstream's


def test_parse(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("Let me see."), completion(f"```json\n{GOOD}\n```")]
    parsed = client.chat.completions.parse(**hello(response_format=Person))
    assert parsed.choices[0].message.parsed == Person(name="Li", age=3)
    extra = parsed.model_extra
    assert extra is not None
    assert extra["wending"]["guard"]["asked"] == 2


def test_stream_helper_parses_what_was_held(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("Let me see."), completion(GOOD)]
    with client.chat.completions.stream(**hello(response_format=Person)) as events:
        final = events.get_final_completion()
    assert final.choices[0].message.parsed == Person(name="Li", age=3)


def test_calls_of_tools(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    tool = openai.pydantic_function_tool(Person, name="add_person")
    wrong, broken = '{"name": "Li", "age": "3"}', f"{GOOD[:-1]},}}"
    upstream.script = [calling(call(wrong)), calling(call(broken))]
    whole = client.chat.completions.parse(**hello(tools=[tool]))
    assert whole.choices[0].message.tool_calls is not None
    assert whole.choices[0].message.tool_calls[0].function.parsed_arguments == Person(name="Li", age=3)


def test_stream_helper_parses_calls_that_were_held(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    tool = openai.pydantic_function_tool(Person, name="add_person")
    text = f'<tool_call>{{"name": "add_person", "arguments": {GOOD}}}</tool_call>'
    upstream.script = [stream("I add: ", *text)]
    with client.chat.completions.stream(**hello(tools=[tool])) as events:
        message = events.get_final_completion().choices[0].message
    assert message.content == "I add: "
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.parsed_arguments == Person(name="Li", age=3)


def test_the_honest_error_is_not_retried(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion("never JSON")]
    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(**person())
    assert failed.value.code == "invalid_upstream_answer"
    assert isinstance(failed.value.body, dict)
    assert failed.value.body["last_text"] == "never JSON"
    assert len(upstream.requests) == 3


def test_errors_in_a_passed_stream(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script = [stream("never", " JSON")]
    with pytest.raises(openai.APIError, match="no valid JSON"):
        list(client.chat.completions.create(**person(stream=True, extra_body={"guard_stream": "pass"})))


def test_the_upstreams_refusal_keeps_its_kind(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script = [error(400, "too hot", param="temperature")]
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**hello(temperature=9))
    assert refused.value.param == "temperature"


def test_models(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    assert [model.id for model in client.models.list().data] == ["up", "other"]
    assert client.models.retrieve("other").id == "other"


@pytest.mark.parametrize("fields", [hello(), person(), person(stream=True)])
def test_hanging_up_ends_the_upstreams_work(
    client: openai.OpenAI, upstream: ScriptedUpstream, fields: dict[str, object]
) -> None:
    upstream.script = [Reply(completion(GOOD).pieces, delay_s=30)]
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3, max_retries=0).chat.completions.create(**fields)  # type: ignore[call-overload]
    assert upstream.hung_up.wait(20)


def test_closing_a_stream_ends_the_upstreams_work(client: openai.OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script = [replace(stream(*TEXT * 1000), gap_s=0.05)]
    with client.chat.completions.create(**hello(stream=True)) as chunks:
        next(iter(chunks))
    assert upstream.hung_up.wait(20)


async def test_async(guard_url: str, upstream: ScriptedUpstream) -> None:
    upstream.script = [completion(GOOD), stream(*TEXT), completion(f"Here: {GOOD}")]
    async with openai.AsyncOpenAI(base_url=guard_url, api_key="none") as client:
        parsed = await client.chat.completions.parse(**hello(response_format=Person))
        parts = [
            chunk.choices[0].delta.content or ""
            async for chunk in await client.chat.completions.create(**hello(stream=True))
        ]
        held = [
            chunk.choices[0].delta.content or ""
            async for chunk in await client.chat.completions.create(**person(stream=True))
            if chunk.choices
        ]
    assert parsed.choices[0].message.parsed == Person(name="Li", age=3)
    assert "".join(parts) == "".join(TEXT)
    assert "".join(held) == GOOD
