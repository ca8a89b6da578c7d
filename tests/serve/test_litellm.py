"""litellm over a real server and a real engine in a process of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Literal, cast

import jsonschema_rs
import pytest
from pydantic import BaseModel
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server
from tests.serve.test_tool_fields import SCHEMAS, TOOLS, WEATHER

from wending.engine.process_client import load_client

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it fetches a price list when it is imported
litellm = pytest.importorskip("litellm")
# It warns of its own use of pydantic.
pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("UserWarning", "DeprecationWarning")]


class Pet(BaseModel):
    kind: Literal["cat", "dog"]
    legs: int


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(cast(FakeClient, load_client())) as server:
        yield server


@pytest.fixture
def asked(server: LiveServer) -> dict[str, Any]:
    """A request, as litellm's functions take it. "hosted_vllm" is how it calls a server like this one, and
    "openai" how most people do."""
    return {
        "model": "openai/wending-demo",
        "api_base": server.url + "/v1",
        "api_key": "none",
        "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
        "temperature": 0,
        "max_tokens": 150,
        "max_retries": 0,
    }


def text_of(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm"])
def test_whole_and_stream(asked: dict[str, Any], provider: str) -> None:
    asked["model"] = f"{provider}/wending-demo"
    whole = litellm.completion(**asked)
    assert whole.choices[0].message.content
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    chunks = list(litellm.completion(**asked, stream=True, stream_options={"include_usage": True}))
    assert text_of(chunks) == whole.choices[0].message.content
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


async def test_async_whole_and_stream(asked: dict[str, Any]) -> None:
    whole = await litellm.acompletion(**asked)
    chunks = [chunk async for chunk in await litellm.acompletion(**asked, stream=True)]
    assert text_of(chunks) == whole.choices[0].message.content


def test_structured_output(asked: dict[str, Any]) -> None:
    whole = litellm.completion(**asked, response_format=Pet)
    Pet.model_validate_json(whole.choices[0].message.content)
    whole = litellm.completion(**asked, response_format={"type": "json_object"})
    assert isinstance(json.loads(whole.choices[0].message.content), dict)


@pytest.mark.parametrize("choice", ["required", WEATHER], ids=str)
def test_tools(asked: dict[str, Any], choice: Any) -> None:
    asked |= {"tools": TOOLS, "tool_choice": choice}
    message = litellm.completion(**asked).choices[0].message
    for call in message.tool_calls:
        jsonschema_rs.validate(SCHEMAS[call.function.name], json.loads(call.function.arguments))
    rebuilt = litellm.stream_chunk_builder(list(litellm.completion(**asked, stream=True)))
    said = [(call.function.name, call.function.arguments) for call in message.tool_calls]
    assert [(c.function.name, c.function.arguments) for c in rebuilt.choices[0].message.tool_calls] == said
    answer = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "21 °C"}
    asked["messages"] += [message.model_dump(), answer]
    assert litellm.completion(**asked | {"tool_choice": "auto"}).choices[0].message.role == "assistant"


def test_text_completion_and_embedding(asked: dict[str, Any]) -> None:
    del asked["messages"]
    server = {name: asked[name] for name in ("api_base", "api_key", "max_retries")}
    model = "text-completion-openai/wending-demo"
    completed = litellm.text_completion(model=model, prompt="Hello", max_tokens=5, **server)
    assert completed.choices[0].finish_reason in ("length", "stop")
    vectors = litellm.embedding(model="openai/wending-demo", input=["a", "b"], **server)
    assert [len(each["embedding"]) > 0 for each in vectors.data] == [True, True]


def test_extensions_and_errors(asked: dict[str, Any]) -> None:
    litellm.completion(**asked, extra_body={"top_k": 3, "guided_choice": ["yes", "no"]})
    with pytest.raises(litellm.BadRequestError, match="top_k"):
        litellm.completion(**asked, extra_body={"top_k": -5})
    with pytest.raises(litellm.NotFoundError, match="gpt-4o"):
        litellm.completion(**asked | {"model": "openai/gpt-4o"})
    with pytest.raises(litellm.ContextWindowExceededError):
        litellm.completion(**asked | {"messages": [{"role": "user", "content": "x " * 9000}]})
