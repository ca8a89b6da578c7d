"""A client that closes its connection stops its request in the engine. Over real sockets."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server, wait_until


@pytest.fixture
def server() -> Iterator[LiveServer]:
    with live_server(FakeClient(delay_s=0.01, max_context=1_000_000)) as server:
        yield server


def request(**fields: Any) -> bytes:
    body = {
        "model": "fake-model",
        "messages": [{"role": "user", "content": "Hi"}],
        "ignore_eos": True,
        "max_tokens": 100_000,
    }
    content = json.dumps(body | fields).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"Content-Type: application/json\r\n\r\n" + content


def open_request(server: LiveServer, **fields: Any) -> socket.socket:
    connection = socket.create_connection(server.address, timeout=20)
    connection.sendall(request(**fields))
    return connection


def read_some_events(connection: socket.socket) -> bytes:
    received = b""
    while received.count(b"data: ") < 5:
        part = connection.recv(4096)
        assert part, received
        received += part
    return received


def assert_stopped_early(server: LiveServer, aborted: int = 1) -> None:
    wait_until(lambda: len(server.client.aborted) == aborted)
    assert server.client.running == set()
    assert server.client.tokens < 10_000  # of the 100,000 asked for


def test_stream(server: LiveServer) -> None:
    connection = open_request(server, stream=True)
    received = read_some_events(connection)
    assert b" 200 OK" in received
    assert len(server.client.running) == 1
    connection.close()
    assert_stopped_early(server)


def test_stream_reset(server: LiveServer) -> None:
    connection = open_request(server, stream=True)
    read_some_events(connection)
    # Closing with this option sends RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    assert_stopped_early(server)


def test_whole_answer(server: LiveServer) -> None:
    connection = open_request(server)
    wait_until(lambda: len(server.client.running) == 1)
    connection.close()
    assert_stopped_early(server)


def test_stream_before_its_first_token(server: LiveServer) -> None:
    server.client.delay_s = 30
    connection = open_request(server, stream=True)
    wait_until(lambda: len(server.client.running) == 1)
    connection.close()
    assert_stopped_early(server)


def test_reader_that_stops_reading_and_leaves(server: LiveServer) -> None:
    server.client.delay_s = 0
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.connect(server.address)
    connection.sendall(request(stream=True, max_tokens=900_000))
    before = -1
    while server.client.tokens != before:  # until every buffer on the way is full
        before = server.client.tokens
        time.sleep(0.3)
    assert len(server.client.running) == 1
    connection.close()
    wait_until(lambda: len(server.client.aborted) == 1)
    assert server.client.running == set()


def test_in_the_middle_of_the_body(server: LiveServer, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("uvicorn.error").addHandler(caplog.handler)
    connection = socket.create_connection(server.address, timeout=20)
    connection.sendall(request()[:-10])
    time.sleep(0.1)
    connection.close()
    connection = open_request(server, max_tokens=1)  # served after the other's end was noticed
    assert b" 200 OK" in connection.recv(4096)
    connection.close()
    logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert caplog.records == []


def test_fifty_at_once(server: LiveServer) -> None:
    connections = [open_request(server, stream=bool(i % 2)) for i in range(50)]
    wait_until(lambda: len(server.client.running) == 50)
    for connection in connections:
        connection.close()
    assert_stopped_early(server, aborted=50)


def test_pipelined_bytes_are_no_hang_up(server: LiveServer) -> None:
    connection = open_request(server, max_tokens=20)
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
    received = b""
    while part := connection.recv(4096):
        received += part
    assert received.count(b" 200 OK") == 2
    assert server.client.aborted == []
