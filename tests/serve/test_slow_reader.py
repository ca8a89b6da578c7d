"""A client that stops reading costs the service little memory and nobody any time, and is let go."""

from __future__ import annotations

import json
import socket
from typing import Any

import httpx
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server, wait_until
from tests.serve.running_app import CHAT

from wending.serve import listening_socket

ENDLESS = CHAT | {"ignore_eos": True, "max_tokens": 900_000, "stream": True}


def open_and_never_read(server: LiveServer, body: dict[str, Any]) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.connect(server.address)
    content = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Length: {len(content)}\r\n"
    connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + content)
    return connection


def test_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening_socket, "SILENCE_S", 2)
    client = FakeClient(max_context=1_000_000)
    with live_server(client) as server:
        connections = [open_and_never_read(server, ENDLESS) for _ in range(5)]
        wait_until(lambda: len(client.aborted) == 5, timeout_s=60)
        assert client.running == set()
        assert server.service.requests.total == 0
        for connection in connections:
            connection.close()


def test_holds_nobody_up() -> None:
    client = FakeClient(max_context=1_000_000)
    with live_server(client) as server, httpx.Client(base_url=server.url) as http:
        connections = [open_and_never_read(server, ENDLESS) for _ in range(5)]
        wait_until(lambda: len(client.running) == 5)
        for _ in range(20):
            assert http.post("/v1/chat/completions", json=CHAT).status_code == 200
            assert http.get("/health").status_code == 200
        assert len(client.running) == 5
        for connection in connections:
            connection.close()
        wait_until(lambda: client.running == set())
