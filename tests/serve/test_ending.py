"""How the server's process ends, in order and at once, and what the death of the engine's process changes."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint
from tests.serve.serving import Serving, hello, worker_of

from wending.serve.api_keys import ApiKeys
from wending.serve.app import create_app
from wending.serve.last_resort import LastResort
from wending.serve.listening_socket import base_url, bind
from wending.serve.main import _serve
from wending.serve.start_up_output import StartUpOutput


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoints") / "Random-Qwen2", small_config())


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
