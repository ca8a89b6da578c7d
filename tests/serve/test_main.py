"""`wending serve` as a process of its own, with the real engine on a checkpoint of random weights."""

from __future__ import annotations

import json
import re
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint
from tests.serve.serving import Serving, hello

from wending import demo
from wending.engine.load import load_engine
from wending.serve.main import _announce
from wending.serve.start_up_output import StartUpOutput


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoints") / "Random-Qwen2", small_config())


@pytest.fixture(scope="module")
def serving(checkpoint: Path) -> Iterator[Serving]:
    serving = Serving(checkpoint)
    yield serving
    serving.close()


@pytest.fixture
def client(serving: Serving) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=serving.url + "/v1", api_key="none", max_retries=0) as client:
        yield client


def test_start_up_tells_the_memory_budget_and_the_addresses(serving: Serving) -> None:
    for word in ("weights", "KV cache", "workspace", "grammars", "tokens", "Loading weights: 100 %"):
        assert word in serving.output
    assert re.search(r"positions +native RoPE, to 4,096", serving.output)
    assert f"Serving Random-Qwen2 on {serving.url}" in serving.output
    assert f"{serving.url}/v1" in serving.output


@pytest.mark.parametrize(("language", "said"), [("en", "came from the cache"), ("zh", "取自缓存")])
def test_start_up_tells_where_quantised_weights_came_from(
    language: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    info = load_engine(max_context=64).info
    for from_cache in (False, True):
        _announce(StartUpOutput(language), replace(info, weights_from_cache=from_cache), "http://there")
        assert (said in capsys.readouterr().out) == from_cache


def test_start_up_tells_the_precision_of_the_kv_cache(checkpoint: Path) -> None:
    small = Serving(checkpoint, "--kv-cache", "int8")
    small.close()
    assert re.search(r"KV cache .* int8, ", small.output)


def test_start_up_tells_that_a_long_context_is_stretched(checkpoint: Path) -> None:
    long = Serving(checkpoint, "--max-context", "9000", LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1")
    [model] = httpx.get(long.url + "/v1/models").json()["data"]
    long.close()
    assert re.search(r"位置编码 +YaRN x4，至 16,384", long.output)
    assert model["wending"]["max_context"] == 9000


def test_health_and_models(serving: Serving, client: openai.OpenAI) -> None:
    health = httpx.get(serving.url + "/health").json()
    assert health["status"] == "ok"
    assert health["tokens_generated_total"] > 0
    assert health["produced_lately"] is True
    for path in ("/health/ready", "/health/live"):
        assert httpx.get(serving.url + path).status_code == 200
    [model] = client.models.list().data
    assert model.id == "Random-Qwen2"
    assert model.model_extra is not None
    assert model.model_extra["wending"] == {"demo": False, "max_context": 4096, "precision": "bf16"}


def test_chat_page_is_there(serving: Serving) -> None:
    assert httpx.get(serving.url).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("n", [1, 3])
def test_stream_equals_whole(client: openai.OpenAI, n: int) -> None:
    whole = client.chat.completions.create(**hello(n=n))
    texts = [""] * n
    reasons: list[str | None] = [None] * n
    options = {"include_usage": True}
    for chunk in client.chat.completions.create(**hello(n=n, stream=True, stream_options=options)):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            reasons[choice.index] = choice.finish_reason
        usage = chunk.usage
    assert texts == [choice.message.content for choice in whole.choices]
    assert reasons == [choice.finish_reason for choice in whole.choices]
    assert usage is not None
    assert whole.usage is not None
    cached = {"prompt_tokens_details"}  # the second request finds the first one's prompt
    assert usage.model_dump(exclude=cached) == whole.usage.model_dump(exclude=cached)


@pytest.mark.parametrize("prompt", ["春眠不觉晓", ["Hello", "处处闻啼鸟"], [1, 2, 3], [[1, 2], [3]]], ids=str)
def test_text_completion_streamed_equals_whole(client: openai.OpenAI, prompt: Any) -> None:
    asked: dict[str, Any] = {"model": "Random-Qwen2", "prompt": prompt, "seed": 7, "max_tokens": 30, "n": 2}
    for further in ({"echo": True}, {"logprobs": 3}):
        answer = client.completions.create(**asked, **further)
        texts = [""] * len(answer.choices)
        tokens: list[list[str]] = [[] for _ in texts]
        for chunk in client.completions.create(**asked, **further, stream=True):
            for choice in chunk.choices:
                texts[choice.index] += choice.text
                tokens[choice.index] += (choice.logprobs and choice.logprobs.tokens) or []
        assert texts == [choice.text for choice in answer.choices]
        assert tokens == [(one.logprobs and one.logprobs.tokens) or [] for one in answer.choices]
        assert all(texts)


def test_text_completion_of_a_chat_prompt_s_tokens_is_the_chat_s_answer(
    serving: Serving, client: openai.OpenAI
) -> None:
    """/tokenize and token ids as a prompt lead to the same bytes."""
    tokenized = httpx.post(serving.url + "/tokenize", json={"messages": hello()["messages"]}).json()
    assert tokenized["count"] == len(tokenized["tokens"])
    assert tokenized["max_model_len"] == 4096
    text = (
        client.completions.create(model="Random-Qwen2", prompt=tokenized["tokens"], seed=7, max_tokens=40)
        .choices[0]
        .text
    )
    assert text == client.chat.completions.create(**hello()).choices[0].message.content
    round_trip = httpx.post(serving.url + "/tokenize", json={"prompt": "春眠不觉晓 hello"}).json()["tokens"]
    response = httpx.post(serving.url + "/detokenize", json={"tokens": round_trip})
    assert response.json() == {"prompt": "春眠不觉晓 hello"}


def test_what_was_cached_and_used_is_told(client: openai.OpenAI) -> None:
    prompt = "Tell me what was cached. " * 20
    asked: dict[str, Any] = {"model": "Random-Qwen2", "prompt": prompt, "max_tokens": 10**6, "stop": "a"}
    answers = [
        client.completions.create(**asked, seed=5, extra_body={"wending_report": True}) for _ in range(2)
    ]
    assert answers[0].choices == answers[1].choices
    cached = [
        answer.usage
        and answer.usage.prompt_tokens_details
        and answer.usage.prompt_tokens_details.cached_tokens
        for answer in answers
    ]
    assert cached[0] == 0
    assert cached[1]
    assert answers[1].model_extra is not None
    assert answers[1].usage is not None
    assert answers[1].model_extra["wending"]["prompts"] == [
        {
            "seed": 5,
            "cached_tokens": cached[1],
            "max_tokens": 4096 - answers[1].usage.prompt_tokens,
            "max_tokens_clamped": True,
        }
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_min_tokens(client: openai.OpenAI, stream: bool) -> None:
    """Half of the vocabulary would end the answer."""
    further = {"min_tokens": 30, "stop_token_ids": list(range(0, 280, 2)), "wending_report": True}
    asked = hello(max_tokens=60, logprobs=True, extra_body=further, stream=stream)
    if stream:
        chunks = list(client.chat.completions.create(**asked))
        count = sum(
            len(choice.logprobs.content or ())
            for chunk in chunks for choice in chunk.choices if choice.logprobs
        )  # fmt: skip
    else:
        count = len(client.chat.completions.create(**asked).choices[0].logprobs.content)
    assert 30 < count < 60


def test_embeddings_depend_on_nothing_but_the_text(client: openai.OpenAI) -> None:
    texts = ["春眠不觉晓", "Hello", "A long text. " * 60, "Hello"]
    together = [one.embedding for one in client.embeddings.create(model="Random-Qwen2", input=texts).data]
    alone = [client.embeddings.create(model="Random-Qwen2", input=text).data[0].embedding for text in texts]
    assert together == alone
    assert together[1] == together[3] != together[0]
    assert len(together[0]) == small_config()["hidden_size"]
    assert all(abs(sum(x * x for x in vector) - 1) < 1e-5 for vector in together)


def test_metrics(serving: Serving, client: openai.OpenAI) -> None:
    client.chat.completions.create(**hello())
    text = httpx.get(serving.url + "/metrics").text
    for name in (
        "vllm:prompt_tokens_total",
        "vllm:generation_tokens_total",
        "vllm:prefix_cache_queries_total",
    ):
        match = re.search(rf'^{name}{{model_name="Random-Qwen2"}} (\d+)$', text, re.MULTILINE)
        assert match is not None
        assert int(match[1]) > 0


def test_logprobs_are_numbers(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**hello(logprobs=True, top_logprobs=5, temperature=0))
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content
    for token in logprobs.content:
        assert len(token.top_logprobs) == 5
        assert token.logprob == max(top.logprob for top in token.top_logprobs) <= 0


def test_generation_config_of_the_model_is_named_and_used(checkpoint: Path, tmp_path: Path) -> None:
    model = shutil.copytree(checkpoint, tmp_path / "Configured")
    values = {"temperature": 0.5, "top_k": 5, "eos_token_id": 1}
    (model / "generation_config.json").write_text(json.dumps(values))
    configured = Serving(model, "--generation-config", "model")
    try:
        assert re.search(
            r"generation_config\.json, .*: temperature 0\.5, top_p 1, top_k 5", configured.output
        )
        asked = hello(model="Configured", wending_report=True)
        report = httpx.post(configured.url + "/v1/chat/completions", json=asked).json()["wending"]
        assert report["generation_config"] == "model"
        assert (report["sampling"]["temperature"], report["sampling"]["top_k"]) == (0.5, 5)
    finally:
        configured.close()


def test_path_as_given_is_an_alias(client: openai.OpenAI, checkpoint: Path) -> None:
    answer = client.chat.completions.create(**hello(model=str(checkpoint)))
    assert answer.model == "Random-Qwen2"


def test_prompt_longer_than_the_context(client: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match="4096") as error:
            client.chat.completions.create(
                model="Random-Qwen2", messages=[{"role": "user", "content": "长" * 5000}], stream=stream
            )
        assert error.value.code == "context_length_exceeded"
        assert error.value.param == "messages"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"logit_bias": {"400": 1}}, "logit_bias"),
        ({"extra_body": {"stop_token_ids": [400]}}, "stop_token_ids"),
    ],
)
def test_refused_by_the_engine(client: openai.OpenAI, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError, match="400") as error:
        client.chat.completions.create(**hello(stream=True, **fields))
    assert error.value.param == param


def test_hang_up_frees_the_engine(serving: Serving, client: openai.OpenAI) -> None:
    endless = hello(max_tokens=4000, extra_body={"ignore_eos": True})
    stream = client.chat.completions.create(**endless, stream=True)
    next(iter(stream))
    before = httpx.get(serving.url + "/health").json()
    assert before["running"] == 1
    stream.close()
    end = time.monotonic() + 20
    while (health := httpx.get(serving.url + "/health").json())["running"]:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert health["kv_blocks_used"] == 0


def test_two_hundred_hang_ups_free_everything(serving: Serving) -> None:
    """Each client reads the beginning of its stream, many wait for their turn, and all leave at once."""
    content = json.dumps(hello(max_tokens=4000, ignore_eos=True, stream=True, user="x")).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Length: {len(content)}\r\n"
    address = ("127.0.0.1", int(serving.url.rpartition(":")[2]))
    connections = []
    for _ in range(200):
        connection = socket.create_connection(address, timeout=60)
        connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + content)
        connections.append(connection)
    assert b" 200 OK" in connections[0].recv(4096)
    # On a busy machine the answer may take longer than httpx waits of itself.
    health = httpx.get(serving.url + "/health", timeout=60).json()
    assert health["running"] + health["waiting"] > 100
    for connection in connections:
        connection.close()
    end = time.monotonic() + 60
    while (health := httpx.get(serving.url + "/health", timeout=60).json())["running"] or health["waiting"]:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert health["kv_blocks_used"] == 0


def test_start_up_in_chinese(checkpoint: Path) -> None:
    serving = Serving(checkpoint, LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1")
    try:
        assert "Random-Qwen2 已就绪" in serving.output
        assert "内存预算" in serving.output
    finally:
        serving.close()


@pytest.mark.skipif(
    not (demo.folder() / "config.json").is_file(), reason="the bundled checkpoint has not been trained"
)
def test_bundled_model_is_named_as_the_demonstration_model() -> None:
    serving = Serving()
    try:
        assert "demonstration model" in serving.output
        [model] = httpx.get(serving.url + "/v1/models").json()["data"]
        assert model["id"] == "wending-demo"
        assert model["wending"]["demo"] is True
        with openai.OpenAI(base_url=serving.url + "/v1", api_key="none") as client:
            chunks = client.chat.completions.create(
                model="wending-demo",
                messages=[{"role": "user", "content": "What are you?"}],
                stream=True,
                temperature=0,
            )
            text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text.strip()
    finally:
        serving.close()
