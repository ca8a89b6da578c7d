from __future__ import annotations

import asyncio
import logging
import os
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.serve.fake_client import FakeClient

from wending.serve.app import create_app
from wending.serve.log_queue import LogQueue

HELLO: dict[str, Any] = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
CHAT = "/v1/chat/completions"
SAMPLE = re.compile(r'([a-z_:0-9]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)+)\})? (\S+)')


async def samples(http: httpx.AsyncClient) -> dict[str, float]:
    """Each sample by its name and labels, without the model's name. Every line must be one or a comment."""
    response = await http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.text.endswith("\n")
    found: dict[str, float] = {}
    for line in response.text.splitlines():
        if not line.startswith(("# HELP ", "# TYPE ")):
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            labels = (match[2] or "").replace('model_name="fake-model"', "").strip(",")
            found[f"{match[1]}{{{labels}}}"] = float(match[3])
    return found


async def test_lines_of_the_log_that_were_dropped(http: httpx.AsyncClient) -> None:
    assert (await samples(http))["wending:log_lines_dropped_total{}"] == 0
    read, write = os.pipe()
    queue = LogQueue(logging.Formatter(), write, most_lines=1)  # which nobody has started to write
    logging.root.addHandler(queue)
    try:
        for number in range(5):
            logging.getLogger("test").error("line %d", number)
        assert (await samples(http))["wending:log_lines_dropped_total{}"] == 4
    finally:
        logging.root.removeHandler(queue)
        os.close(read)
        os.close(write)


async def test_a_whole_answer(http: httpx.AsyncClient, client: FakeClient) -> None:
    await http.post(CHAT, json=HELLO | {"n": 2})
    found, count = await samples(http), len(client.reply)
    assert found["vllm:prompt_tokens_total{}"] == 2
    assert found["vllm:generation_tokens_total{}"] == 2 * count
    assert found['vllm:request_success_total{finished_reason="stop"}'] == 2
    assert found["vllm:time_to_first_token_seconds_count{}"] == 2
    assert found["vllm:inter_token_latency_seconds_count{}"] == 2 * (count - 1)
    assert found["vllm:e2e_request_latency_seconds_count{}"] == 2
    assert found['vllm:e2e_request_latency_seconds_bucket{le="+Inf"}'] == 2
    assert found["vllm:kv_cache_usage_perc{}"] == 0
    assert found["wending:engine_up{}"] == 1
    assert found['http_requests_total{method="POST",handler="/v1/chat/completions",status="200"}'] == 1


async def test_every_name_is_there_before_the_first_request(http: httpx.AsyncClient) -> None:
    found = await samples(http)
    for name in (
        "num_requests_running", "num_requests_waiting", "num_preemptions_total", "prefix_cache_queries_total",
        "prefix_cache_hits_total", "spec_decode_num_draft_tokens_total",
        "spec_decode_num_accepted_tokens_total",
    ):  # fmt: skip
        assert found[f"vllm:{name}{{}}"] == 0
    assert found["wending:engine_restarts_total{}"] == 0
    assert found['vllm:request_success_total{finished_reason="abort"}'] == 0
    assert found["vllm:generation_tokens_total{}"] == 0  # the warm-up is nobody's request


async def test_how_completions_end(http: httpx.AsyncClient, client: FakeClient, app: FastAPI) -> None:
    await http.post(CHAT, json=HELLO | {"max_tokens": 1})
    client.fail_after = 2
    await http.post(CHAT, json=HELLO | {"stream": True})
    client.fail_after, client.delay_s = None, 30
    hanging = asyncio.create_task(http.post(CHAT, json=HELLO | {"n": 3}))
    while not client.running:
        await asyncio.sleep(0.001)
    assert (await samples(http))["vllm:num_requests_running{}"] == 1
    app.state.service.stopping.set()
    await hanging
    found = await samples(http)
    for reason, count in (("length", 1), ("error", 1), ("abort", 3), ("stop", 0)):
        assert found[f'vllm:request_success_total{{finished_reason="{reason}"}}'] == count


async def test_a_dead_engine_is_an_error(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.die_after = 2
    await http.post(CHAT, json=HELLO)
    found = await samples(http)
    assert found['vllm:request_success_total{finished_reason="error"}'] == 1
    assert found["wending:engine_up{}"] == 0


async def test_what_is_refused_is_no_request_of_the_engine(
    http: httpx.AsyncClient, client: FakeClient
) -> None:
    client.overloaded = "too many"
    await http.post(CHAT, json=HELLO)
    await http.post(CHAT, json=HELLO | {"top_p": 5})
    found = await samples(http)
    assert not any(found[f'vllm:request_success_total{{finished_reason="{r}"}}'] for r in ("abort", "error"))
    for status in ("429", "400"):
        assert found[f'http_requests_total{{method="POST",handler="{CHAT}",status="{status}"}}'] == 1


async def test_made_up_urls_and_methods_are_one_label(http: httpx.AsyncClient) -> None:
    for number in range(3):
        await http.request(f"MADE{number}", f"/made/up/{number}")
    found = await samples(http)
    assert found['http_requests_total{method="OTHER",handler="",status="404"}'] == 3


async def test_a_defect_counts_as_500(
    http: httpx.AsyncClient, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> list[int]:
        raise RuntimeError("defect")

    monkeypatch.setattr(client, "encode_chat", fail)
    await http.post(CHAT, json=HELLO)
    assert (await samples(http))[f'http_requests_total{{method="POST",handler="{CHAT}",status="500"}}'] == 1


async def test_while_the_engine_starts() -> None:
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as http:
        assert (await samples(http))["wending:engine_up{}"] == 0
