from __future__ import annotations

import socket
import time

import httpx
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server, wait_until

from wending.serve.listening_socket import CannotListen, base_url, bind, is_loopback
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


def test_idle_connection_does_not_hold_up_the_end() -> None:
    with (
        live_server(FakeClient(), Operations(drain_s=1000)) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        assert http.get("/health").status_code == 200
        server.stop()
        server.join()


def test_large_body_is_refused_over_the_wire() -> None:
    with live_server(FakeClient()) as server, httpx.Client(base_url=server.url) as http:
        response = http.post("/v1/chat/completions", json=HELLO | {"user": "x" * 17_000_000})
        assert response.status_code == 413
        assert http.get("/health").status_code == 200


def test_port_in_use() -> None:
    first = bind("127.0.0.1", 0)
    port = first.getsockname()[1]
    with pytest.raises(CannotListen, match=f"port {port} on 127.0.0.1 is already in use"):
        bind("127.0.0.1", port)
    first.close()
    bind("127.0.0.1", port).close()


def test_unusable_hosts() -> None:
    with pytest.raises(CannotListen, match="not an address of this machine"):
        bind("192.0.2.1", 0)
    with pytest.raises(CannotListen, match=r"'no\.such\.host\.invalid' is not known"):
        bind("no.such.host.invalid", 0)


def test_base_url() -> None:
    with bind("127.0.0.1", 0) as bound:
        assert base_url(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_base_url_of_ipv6() -> None:
    try:
        bound = bind("::1", 0)
    except CannotListen:
        pytest.skip("this machine has no IPv6 loopback")
    with bound:
        assert base_url(bound) == f"http://[::1]:{bound.getsockname()[1]}"
