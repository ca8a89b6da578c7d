from __future__ import annotations

import socket
import time

import httpx
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server, wait_until

from wending.serve.operations import Operations

HELLO = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def test_stop_lets_a_short_answer_complete() -> None:
    client = FakeClient("x" * 20, delay_s=0.01)
    with live_server(client, Operations(drain_s=20)) as server, httpx.Client(base_url=server.url) as http:
        with http.stream("POST", "/v1/chat/completions", json=HELLO) as response:
            wait_until(lambda: len(client.running) == 1)
            server.stop()
            assert response.read().endswith(b"data: [DONE]\n\n")
        server.join()
    assert client.aborted == []
    assert client.closed


def test_stop_ends_a_long_answer_with_an_error() -> None:
    client = FakeClient(delay_s=0.01, max_context=100_000)
    with live_server(client, Operations(drain_s=0.2)) as server, httpx.Client(base_url=server.url) as http:
        with http.stream("POST", "/v1/chat/completions", json=HELLO | {"ignore_eos": True}) as response:
            wait_until(lambda: len(client.running) == 1)
            server.stop()
            events = response.read().decode().split("\n\n")
        server.join()
    assert "shutting_down" in events[-2]
    assert events[-1] == ""
    assert len(client.aborted) == 1
    assert client.closed


def test_second_stop_does_not_wait() -> None:
    client = FakeClient(delay_s=0.01, max_context=1_000_000)
    with live_server(client, Operations(drain_s=1000)) as server, httpx.Client(base_url=server.url) as http:
        with http.stream("POST", "/v1/chat/completions", json=HELLO | {"ignore_eos": True}) as response:
            wait_until(lambda: len(client.running) == 1)
            server.stop()
            time.sleep(0.2)
            assert len(client.running) == 1
            server.stop()
            response.read()
        server.join()


def test_while_answers_complete_new_work_is_refused_and_health_says_why() -> None:
    client = FakeClient("x" * 400, delay_s=0.01, max_context=100_000)
    with live_server(client, Operations(drain_s=1000)) as server, httpx.Client(base_url=server.url) as http:
        with http.stream("POST", "/v1/chat/completions", json=HELLO) as response:
            wait_until(lambda: len(client.running) == 1)
            server.stop()
            wait_until(lambda: server.service.draining)
            with httpx.Client(base_url=server.url) as another:
                refused = another.post("/v1/chat/completions", json=HELLO)
                health = another.get("/health")
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "shutting_down"
            assert (health.status_code, health.json()["status"]) == (503, "stopping")
            assert response.read().endswith(b"data: [DONE]\n\n")
        server.join()
    assert client.aborted == []


def test_idle_connection_does_not_hold_up_the_end() -> None:
    with (
        live_server(FakeClient(), Operations(drain_s=1000)) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        assert http.get("/health").status_code == 200
        server.stop()
        server.join()


@pytest.mark.parametrize(("announced", "closes"), [(17_000_000, False), (999_999_999_999, True)])
def test_a_body_that_would_never_end_closes_the_connection(announced: int, closes: bool) -> None:
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
    with live_server(FakeClient()) as server, socket.create_connection(server.address, timeout=20) as raw:
        raw.sendall(f"{head}Content-Length: {announced}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"}"):
            answer += raw.recv(4096)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert (b"\r\nconnection: close\r\n" in answer.lower()) == closes
        if closes:
            assert raw.recv(4096) == b""


def test_large_body_is_refused_over_the_wire() -> None:
    with live_server(FakeClient()) as server, httpx.Client(base_url=server.url) as http:
        response = http.post("/v1/chat/completions", json=HELLO | {"user": "x" * 17_000_000})
        assert response.status_code == 413
        assert http.get("/health").status_code == 200
