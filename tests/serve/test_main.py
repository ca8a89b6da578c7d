"""`wending serve` as a process of its own, with the real engine on a checkpoint of random weights."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Self

import httpx
import openai
import psutil
import pytest
from tests.certificate import make_certificate
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending import demo
from wending.engine.load import load_engine
from wending.serve.api_keys import ApiKeys
from wending.serve.app import create_app
from wending.serve.last_resort import LastResort
from wending.serve.listening_socket import base_url, bind
from wending.serve.main import _announce, _serve, run_server
from wending.serve.operations import Operations
from wending.serve.start_up_output import StartUpOutput

ENVIRONMENT = os.environ | {"LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoints") / "Random-Qwen2", small_config())


def start(*arguments: str | Path, new_session: bool = False, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "wending", "serve", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT | environment,
        start_new_session=new_session,
    )


def read_until(stream: IO[str], pattern: str) -> str:
    """Everything up to the first line in which `pattern` is found, as the process writes it."""
    text = ""
    for line in stream:
        text += line
        if re.search(pattern, line):
            return text
    raise AssertionError(f"{pattern!r} not found in: {text}")


class Serving:
    """A server of its own process that is ready."""

    def __init__(self, *arguments: str | Path, new_session: bool = False, **environment: str) -> None:
        self._wait(start(*arguments, "--port", "0", new_session=new_session, **environment))

    @classmethod
    def of(cls, process: subprocess.Popen[str]) -> Self:
        """A process that is starting, once it is ready."""
        serving = cls.__new__(cls)
        serving._wait(process)
        return serving

    def _wait(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        # The log of a test must fit, because nobody reads it before the end.
        fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.process = process
        self.output = read_until(process.stdout, r"Serving|已就绪")
        match = re.search(r"https?://[\d.]+:\d+", self.output)
        assert match is not None
        self.url = match.group()

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=30)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def serving(checkpoint: Path) -> Iterator[Serving]:
    serving = Serving(checkpoint)
    yield serving
    serving.close()


@pytest.fixture
def client(serving: Serving) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=serving.url + "/v1", api_key="none", max_retries=0) as client:
        yield client


def hello(**fields: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello 你好"}]
    return {"model": "Random-Qwen2", "messages": messages, "seed": 7, "max_tokens": 40} | fields


@pytest.fixture
def failure(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a server that cannot start, in this process; the one line that it writes on standard error."""

    def run(
        model: Path | None,
        port: int = 0,
        memory: int | None = None,
        max_context: int | None = None,
        operations: Operations | None = None,
    ) -> str:
        assert (
            run_server(model, port=port, memory=memory, max_context=max_context, operations=operations) == 1
        )
        [line] = capfd.readouterr().err.splitlines()
        assert line.startswith("wending serve: ")
        return line

    return run


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


def test_sigterm_ends_a_running_stream_and_exits_with_0(checkpoint: Path) -> None:
    serving = Serving(checkpoint, "--drain-seconds", "1")
    try:
        body = hello(max_tokens=4000, ignore_eos=True, stream=True, n=16)
        with httpx.stream("POST", serving.url + "/v1/chat/completions", json=body, timeout=60) as response:
            lines = response.iter_lines()
            next(lines)
            serving.process.send_signal(signal.SIGTERM)
            data = [line for line in lines if line]
        assert data[-1] == "data: [DONE]" or "shutting_down" in data[-1]
        assert serving.process.wait(timeout=30) == 0
        assert serving.process.stderr is not None
        assert "Traceback" not in serving.process.stderr.read()
    finally:
        serving.close()


def worker_of(serving: Serving) -> psutil.Process:
    """The engine's process."""
    [worker] = psutil.Process(serving.process.pid).children()
    return worker


def test_killing_the_engine_s_process_changes_no_byte(checkpoint: Path) -> None:
    serving = Serving(checkpoint)
    body = hello(
        max_tokens=500, ignore_eos=True, stream=True, n=4, temperature=1.0, logprobs=True, top_logprobs=2,
        min_tokens=400, stop_token_ids=list(range(30)), wending_report=True,
    )  # fmt: skip
    reports: list[Any] = []

    def stream(number_of_kills: int) -> tuple[Any, ...]:
        """What each choice got, its events put together: how many there are depends on who keeps up."""
        texts, reasons = [""] * 4, [None] * 4
        logprobs: list[list[Any]] = [[] for _ in range(4)]
        with httpx.stream("POST", serving.url + "/v1/chat/completions", json=body, timeout=60) as response:
            for line in response.iter_lines():
                if not line or line == "data: [DONE]":
                    continue
                chunk = json.loads(line.removeprefix("data: "))
                if "wending" in chunk:
                    reports.append(chunk["wending"])
                    continue
                [choice] = chunk["choices"]
                index = choice["index"]
                texts[index] += choice["delta"].get("content", "")
                logprobs[index] += (choice["logprobs"] or {"content": []})["content"]
                reasons[index] = choice["finish_reason"]
                if number_of_kills and len(logprobs[0]) >= 100:
                    number_of_kills -= 1
                    worker_of(serving).kill()
        return texts, logprobs, reasons

    try:
        assert stream(1) == stream(0)
        assert [report["engine_restarts"] for report in reports] == [1, 0]
        health = httpx.get(serving.url + "/health").json()
        assert (health["status"], health["restarts_total"]) == ("ok", 1)
        worker = worker_of(serving)
        assert serving.stop() == 0
        assert not worker.is_running()
        assert serving.process.stderr is not None
        assert "has died: killed by SIGKILL" in serving.process.stderr.read()
    finally:
        serving.close()


def test_an_interrupt_from_the_keyboard_reaches_both_processes_and_answers_are_completed(
    checkpoint: Path,
) -> None:
    serving = Serving(checkpoint, new_session=True)
    worker = worker_of(serving)
    try:
        body = hello(max_tokens=300, ignore_eos=True, stream=True)
        with httpx.stream("POST", serving.url + "/v1/chat/completions", json=body, timeout=60) as response:
            lines = response.iter_lines()
            next(lines)
            os.killpg(serving.process.pid, signal.SIGINT)
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert serving.process.wait(timeout=30) == 0
        assert not worker.is_running()
        assert serving.process.stderr is not None
        [request_line] = serving.process.stderr.read().splitlines()
        assert "finish_reason=length" in request_line
    finally:
        serving.close()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_idle_server_exits_with_0(checkpoint: Path, signal_number: int) -> None:
    serving = Serving(checkpoint)
    try:
        assert serving.stop(signal_number) == 0
        assert serving.process.stderr is not None
        assert serving.process.stderr.read() == ""
    finally:
        serving.close()


def test_an_interrupt_while_the_model_loads_is_no_failure() -> None:
    output = StartUpOutput()

    def load() -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            output.loading(1, 2)
            time.sleep(0.001)

    class NoResort(LastResort):
        def arm(self, after_s: float) -> None:
            pass

    with bind("127.0.0.1", 0) as bound:
        asyncio.run(_serve(create_app(), bound, base_url(bound), load, output, NoResort(), ApiKeys()))


def test_a_second_signal_ends_a_running_stream_at_once(checkpoint: Path) -> None:
    serving = Serving(checkpoint, "--drain-seconds", "1000")
    worker = worker_of(serving)
    try:
        body = hello(max_tokens=4000, ignore_eos=True, stream=True, n=16)
        with httpx.stream("POST", serving.url + "/v1/chat/completions", json=body, timeout=60) as response:
            lines = response.iter_lines()  # the stream is closed when this goes
            next(lines)
            serving.process.send_signal(signal.SIGTERM)
            while httpx.get(serving.url + "/health").json()["status"] != "stopping":
                time.sleep(0.01)
            refused = httpx.post(serving.url + "/v1/chat/completions", json=hello())
            assert refused.json()["error"]["code"] == "shutting_down"
            serving.process.send_signal(signal.SIGTERM)
            assert serving.process.wait(timeout=30) == 0
        worker.wait(timeout=30)
    finally:
        serving.close()


def test_keys_certificate_and_log(checkpoint: Path, tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "server", "-nodes")
    keys = tmp_path / "keys"
    keys.write_text("alice sk-secret-1\n")
    serving = Serving(
        *(checkpoint, "--api-key-file", keys, "--tls-cert", cert, "--tls-key", key, "--log-format", "json"),
        WENDING_API_KEYS="bob sk-secret-2",
    )
    try:
        assert serving.url.startswith("https://")
        with httpx.Client(base_url=serving.url, verify=ssl.create_default_context(cafile=str(cert))) as http:
            assert http.get("/v1/models").status_code == 401
            for name in ("sk-secret-1", "sk-secret-2"):
                headers = {"Authorization": f"Bearer {name}", "X-Request-Id": f"id-of-{name[-1]}"}
                answer = http.post("/v1/chat/completions", json=hello(user="someone"), headers=headers)
                assert answer.status_code == 200
                assert answer.headers["x-request-id"] == f"id-of-{name[-1]}"
        assert serving.stop() == 0
        assert serving.process.stderr is not None
        log = serving.process.stderr.read()
        lines = [json.loads(line) for line in log.splitlines()]
        assert [(line["status"], line.get("key")) for line in lines] == [
            (401, None),
            (200, "alice"),
            (200, "bob"),
        ]
        for line in lines[1:]:
            assert line["request_id"].startswith("id-of-")
            assert line["prompt_tokens"] > 0
            assert 0 < line["completion_tokens"] <= 40
            assert 0 < line["ttft_s"] <= line["duration_s"]
        for secret in ("sk-secret", "Hello"):
            assert secret not in log + serving.output
    finally:
        serving.close()


def test_sighup_reads_keys_and_certificate_again(checkpoint: Path, tmp_path: Path) -> None:
    """A file that is broken changes nothing, and the server goes on; connections that are open too."""
    cert, key = make_certificate(tmp_path, "server", "-nodes")
    old, keys = cert.read_text(), tmp_path / "keys"
    keys.write_text("alice sk-1\n")
    serving = Serving(checkpoint, "--api-key-file", keys, "--tls-cert", cert, "--tls-key", key)
    assert serving.process.stderr is not None
    port = int(serving.url.rsplit(":", 1)[1])

    def status(http: httpx.Client, api_key: str) -> int:
        return http.get("/v1/models", headers={"Authorization": f"Bearer {api_key}"}).status_code

    def reload(*said: str) -> None:
        serving.process.send_signal(signal.SIGHUP)
        for each in said:
            read_until(serving.process.stderr, re.escape(each))

    try:
        with httpx.Client(base_url=serving.url, verify=ssl.create_default_context(cafile=str(cert))) as http:
            assert [status(http, "sk-1"), status(http, "sk-2")] == [200, 401]
            keys.write_text("alice sk-2\n")
            make_certificate(tmp_path, "server", "-nodes")
            reload(f"API keys read again: {keys}", f"TLS certificate read again: {cert}")
            assert [status(http, "sk-1"), status(http, "sk-2")] == [401, 200]
            assert ssl.get_server_certificate(("127.0.0.1", port)) == cert.read_text() != old
            new = cert.read_text()
            keys.write_text("")
            make_certificate(tmp_path, "other", "-nodes")[0].rename(cert)
            reload(f"ERROR the API keys stay as they were: {keys}: holds no key")
            assert [status(http, "sk-1"), status(http, "sk-2")] == [401, 200]
            keys.unlink()
            reload(
                f"ERROR the TLS certificate stays as it was: {key}: is not the key of the certificate {cert}"
            )
            assert ssl.get_server_certificate(("127.0.0.1", port)) == new
        with httpx.Client(base_url=serving.url, verify=False) as http:
            assert [status(http, "sk-1"), status(http, "sk-2")] == [401, 200]
        assert serving.stop() == 0
    finally:
        serving.close()


def test_a_log_that_nobody_reads_holds_up_neither_answers_nor_the_end(checkpoint: Path) -> None:
    serving = Serving(checkpoint)
    assert serving.process.stderr is not None
    try:
        room = fcntl.fcntl(serving.process.stderr, fcntl.F_SETPIPE_SZ, 4096)
        with httpx.Client(base_url=serving.url) as http:
            for _ in range(room // 100 + 50):  # lines have more than 100 bytes
                assert http.get("/v1/models").status_code == 200
            assert http.post("/v1/chat/completions", json=hello()).status_code == 200
        assert serving.stop() == 0
    finally:
        serving.close()


def test_without_keys_an_open_address_is_warned_of(checkpoint: Path) -> None:
    for arguments, environment, said in (
        (("--host", "0.0.0.0"), {}, True),
        (("--host", "0.0.0.0"), {"WENDING_API_KEYS": "sk-1"}, False),
        ((), {}, False),
    ):
        serving = Serving(checkpoint, *arguments, **environment)
        serving.close()
        assert ("no API keys" in serving.output) == said


def test_two_servers_on_one_host(checkpoint: Path) -> None:
    """Started together, from one weight cache; one that is killed leaves the other alone."""
    processes = [start(checkpoint, "--port", "0", "--quant", "int8") for _ in range(2)]
    servers = [Serving.of(process) for process in processes]
    try:
        answers = []
        for _ in range(2):
            for server in servers:
                reply = httpx.post(server.url + "/v1/chat/completions", json=hello(), timeout=60).json()
                answers.append(reply["choices"][0]["message"]["content"])
            worker_of(servers[0]).kill()
        assert len(set(answers)) == 1
        assert servers[0].stop() == 0
        assert httpx.get(servers[1].url + "/health").json()["restarts_total"] == 0
    finally:
        for server in servers:
            server.close()


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
    health = httpx.get(serving.url + "/health").json()
    assert health["running"] + health["waiting"] > 100
    for connection in connections:
        connection.close()
    end = time.monotonic() + 20
    while (health := httpx.get(serving.url + "/health").json())["running"] or health["waiting"]:
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


def test_port_in_use(failure: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} on 127.0.0.1 is already in use" in failure(None, port=port)


def test_what_is_wrong_with_the_operator_s_files_is_said_before_loading(
    tmp_path: Path, failure: Callable[..., str]
) -> None:
    for operations, said in (
        (Operations(api_key_file=tmp_path / "nowhere"), "nowhere: cannot be read: No such file"),
        (Operations(tls_cert=tmp_path / "cert"), "--tls-key"),
        (Operations(max_requests_per_key=3), "--max-requests-per-key needs keys"),
    ):
        assert said in failure(None, operations=operations)


def test_no_such_folder(tmp_path: Path, failure: Callable[..., str]) -> None:
    line = failure(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in line
    assert "no such folder" in line


def test_failure_is_the_exit_code_of_the_process(tmp_path: Path) -> None:
    process = start(tmp_path / "nowhere")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(errors.splitlines()) == 1


def test_file_instead_of_a_folder(checkpoint: Path, failure: Callable[..., str]) -> None:
    assert "is neither a folder" in failure(checkpoint / "model.safetensors")


def test_gguf_file_that_is_none(tmp_path: Path, failure: Callable[..., str]) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGMLGGMLGGML")
    assert "model.gguf: begins with b'GGML'" in failure(tmp_path / "model.gguf")


def test_folder_without_a_checkpoint(tmp_path: Path, failure: Callable[..., str]) -> None:
    assert "config.json" in failure(tmp_path)


def test_config_that_is_not_json(checkpoint: Path, tmp_path: Path, failure: Callable[..., str]) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    (broken / "config.json").write_text("{")
    assert "config.json" in failure(broken)


def test_unsupported_architecture(checkpoint: Path, tmp_path: Path, failure: Callable[..., str]) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    config = json.loads((broken / "config.json").read_text()) | {"architectures": ["LlamaForCausalLM"]}
    (broken / "config.json").write_text(json.dumps(config))
    assert "LlamaForCausalLM" in failure(broken)


def test_truncated_weights(checkpoint: Path, tmp_path: Path, failure: Callable[..., str]) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    assert "model.safetensors" in failure(broken)


def test_weights_that_are_no_numbers(checkpoint: Path, tmp_path: Path, failure: Callable[..., str]) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(
        weights.read_bytes()[:-128] + b"\xc0\x7f" * 64
    )  # NaN in BF16: the norm before the logits
    assert "the first token could not be generated" in failure(broken)


def test_not_enough_memory(checkpoint: Path, failure: Callable[..., str]) -> None:
    line = failure(checkpoint, memory=1_000_000)
    assert "not enough memory" in line
    assert "MiB" in line


def test_context_that_the_model_does_not_have(checkpoint: Path, failure: Callable[..., str]) -> None:
    line = failure(checkpoint, max_context=20_000)
    assert "max_context must be 2 to 16384" in line
    assert "got 20000" in line


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
