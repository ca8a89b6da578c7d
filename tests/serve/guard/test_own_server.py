"""Our own server as the upstream: the guard in front of it answers as it does, and its JSON is checked."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
from tests.random_checkpoint import small_config, write_random_checkpoint
from tests.serve.fake_client import FakeClient
from tests.serve.guard.live_guard import live_guard
from tests.serve.guard.requests import GOOD, URL, call, with_tools
from tests.serve.live_server import live_server
from tests.serve.serving import Serving

from wending.serve.guard.asking import again
from wending.serve.guard.message_verdict import MessageVerdict

MESSAGES = [{"role": "user", "content": "Hi"}]


def test_chat_stream_models_and_health() -> None:
    with (
        live_server(FakeClient("你好 👋")) as server,
        live_guard(server.url) as guard,
        httpx.Client(base_url=guard) as http,
    ):
        body = {"model": "fake-model", "messages": MESSAGES}
        assert (
            http.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"]
            == "你好 👋"
        )
        lines = http.post("/v1/chat/completions", json=body | {"stream": True}).text.split("\n\n")
        chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
        assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "你好 👋"
        assert lines[-2] == "data: [DONE]"
        assert http.get("/v1/models").json() == httpx.get(server.url + "/v1/models").json()
        assert http.get("/health").json()["status"] == "ok"
        refused = http.post("/v1/chat/completions", json=body | {"temperature": 3})
        assert refused.status_code == 400
        assert refused.json()["error"]["param"] == "temperature"


def test_json() -> None:
    with live_server(FakeClient(GOOD, max_context=2000)) as server, live_guard(server.url) as guard:
        body = {"model": "fake-model", "messages": MESSAGES, "response_format": {"type": "json_object"}}
        answer = httpx.post(guard + "/v1/chat/completions", json=body).json()
    assert answer["choices"][0]["message"]["content"] == GOOD
    assert "wending" not in answer  # there was nothing to repair


def test_calls_of_tools() -> None:
    """They pass, and the request that asks for a call again is one that our server takes."""
    said = f'<tool_call>\n{{"name": "add_person", "arguments": {GOOD}}}\n</tool_call>'
    body = with_tools(model="fake-model")
    wrong = {"role": "assistant", "content": None, "tool_calls": [call("not JSON"), call(GOOD, id="c1")]}
    with live_server(FakeClient(said, max_context=4000)) as server, live_guard(server.url) as guard:
        [choice] = httpx.post(guard + URL, json=body).json()["choices"]
        asked_again = again(body, MessageVerdict(wrong, wrong, "tools", problems=[(0, "no JSON")]), "stop")
        assert httpx.post(server.url + URL, json=asked_again).status_code == 200
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "add_person", "arguments": GOOD}


def test_the_real_engine(tmp_path: Path) -> None:
    """Its bytes pass as they are, and what random weights say is JSON, because the engine sees to it."""
    serving = Serving(write_random_checkpoint(tmp_path / "Random-Qwen2", small_config()))
    body = {"model": "Random-Qwen2", "messages": MESSAGES, "seed": 7, "max_tokens": 30}
    url = "/v1/chat/completions"
    try:
        with live_guard(serving.url) as guard, httpx.Client(timeout=60) as http:
            direct, guarded = (http.post(base + url, json=body).json() for base in (serving.url, guard))
            assert guarded["choices"] == direct["choices"]
            answer = http.post(guard + url, json=body | {"response_format": {"type": "json_object"}})
    finally:
        serving.close()
    assert answer.status_code == 200
    assert isinstance(json.loads(answer.json()["choices"][0]["message"]["content"]), dict)
