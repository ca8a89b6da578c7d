"""langchain-openai over a real server and a real engine in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast

import openai
import pytest
from pydantic import BaseModel, Field
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server

from wending.engine.process_client import load_client

langchain_openai = pytest.importorskip("langchain_openai")
messages = pytest.importorskip("langchain_core.messages")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydantic.*")  # of how it writes a parsed object

ASKED = [("system", "Be brief."), ("human", "What is the weather in Paris?")]


class Pet(BaseModel):
    """A pet."""

    kind: Literal["cat", "dog"]
    legs: int = Field(ge=0, le=4)


class get_weather(BaseModel):
    """The weather of a city."""

    city: str = Field(max_length=20)
    unit: Literal["C", "F"]


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server(cast(FakeClient, load_client())) as server:
        yield server


@pytest.fixture
def chat(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LANGSMITH_TRACING", "false")  # nothing is sent elsewhere
    return langchain_openai.ChatOpenAI(
        model="wending-demo",
        base_url=server.url + "/v1",
        api_key="none",
        temperature=0,
        max_tokens=150,
        max_retries=0,
    )


def test_whole_and_stream(chat: Any) -> None:
    whole = chat.invoke(ASKED)
    assert whole.content
    assert whole.response_metadata["finish_reason"] in ("stop", "length")
    total = sum(chat.stream(ASKED, stream_usage=True), messages.AIMessageChunk(content=""))
    assert total.content == whole.content
    assert total.usage_metadata["total_tokens"] == whole.usage_metadata["total_tokens"]


async def test_async(chat: Any) -> None:
    """All in one test, because the clients that langchain keeps are those of one event loop."""
    whole = await chat.ainvoke(ASKED)
    parts = [chunk.content async for chunk in chat.astream(ASKED)]
    assert "".join(parts) == whole.content
    assert [each.content for each in await chat.abatch([ASKED] * 4)] == [whole.content] * 4
    parsed = [part async for part in chat.with_structured_output(Pet).astream(ASKED)]
    assert isinstance(parsed[-1], Pet)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output(chat: Any, method: str) -> None:
    assert isinstance(chat.with_structured_output(Pet, method=method).invoke(ASKED), Pet)
    assert isinstance(chat.with_structured_output(Pet, method=method, strict=True).invoke(ASKED), Pet)


def test_json_mode(chat: Any) -> None:
    assert isinstance(chat.with_structured_output(None, method="json_mode").invoke(ASKED), dict)


@pytest.mark.parametrize("choice", ["any", "get_weather"])
def test_tools(chat: Any, choice: str) -> None:
    with_tools = chat.bind_tools([get_weather], tool_choice=choice)
    called = with_tools.invoke(ASKED)
    assert called.tool_calls
    assert called.invalid_tool_calls == []
    for call in called.tool_calls:
        get_weather.model_validate(call["args"])
    total = sum(with_tools.stream(ASKED), messages.AIMessageChunk(content=""))
    assert [call["args"] for call in total.tool_calls] == [call["args"] for call in called.tool_calls]
    answers = [messages.ToolMessage("21 °C", tool_call_id=call["id"]) for call in called.tool_calls]
    assert chat.bind_tools([get_weather]).invoke([*ASKED, called, *answers]).type == "ai"


def test_text_completion_and_embeddings(server: LiveServer) -> None:
    reached = {"base_url": server.url + "/v1", "api_key": "none", "max_retries": 0, "model": "wending-demo"}
    text = langchain_openai.OpenAI(**reached, temperature=0, max_tokens=5)
    assert "".join(text.stream("Hello")) == text.invoke("Hello") != ""
    embeddings = langchain_openai.OpenAIEmbeddings(**reached, check_embedding_ctx_length=False)
    one, other = embeddings.embed_documents(["a", "b"])
    assert len(one) == len(other) > 0
    assert embeddings.embed_query("a") == pytest.approx(one, abs=1e-6)


def test_logprobs_and_errors(chat: Any) -> None:
    known = chat.bind(logprobs=True, top_logprobs=2).invoke(ASKED).response_metadata["logprobs"]
    assert len(known["content"][0]["top_logprobs"]) == 2
    with pytest.raises(openai.BadRequestError, match="top_p"):
        chat.bind(top_p=2.0).invoke(ASKED)
