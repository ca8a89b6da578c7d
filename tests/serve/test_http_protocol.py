from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import LiveServer, live_server

from wending.serve import http_protocol
from wending.serve.http_protocol import MAX_HEAD_BYTES

HEALTH = b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n"


@pytest.fixture
def server() -> Iterator[LiveServer]:
    with live_server(FakeClient()) as server:
        yield server


def connect(server: LiveServer) -> socket.socket:
    return socket.create_connection(server.address, timeout=20)


def answer_from(connection: socket.socket) -> bytes:
    """What comes until a JSON object has ended."""
    received = b""
    while not received.endswith(b"}"):
        received += connection.recv(4096)
    return received


def everything_from(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    received = b""
    try:
        while part := connection.recv(4096):
            received += part
    except ConnectionResetError:
        pass  # it closed with bytes of ours unread
    return received


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_an_offer_of_another_protocol_is_ignored(server: LiveServer, protocol: bytes) -> None:
    body = b'{"model":"fake-model","messages":[{"role":"user","content":"x"}]}'
    post = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
        + protocol
        + b"\r\nHTTP2-Settings: AAEAAEAA\r\nContent-Type: application/json\r\n"
        + b"Content-Length: %d\r\n\r\n" % len(body)
        + body
    )
    get = HEALTH.replace(b"Host: t", b"Host: t\r\nConnection: Upgrade\r\nUpgrade: " + protocol)
    for size in (1, 7, len(post) - len(body), len(post) - 3, 10_000):
        with connect(server) as connection:
            for request in (post, get, post, HEALTH):
                for start in range(0, len(request), size):
                    connection.sendall(request[start : start + size])
                assert b" 200 OK" in answer_from(connection), size
    with connect(server) as connection:
        connection.sendall(post + get)
        answer = answer_from(connection)
        while answer.count(b" 200 OK") < 2:
            answer += answer_from(connection)


@pytest.mark.parametrize(
    ("start", "rest"),
    [
        (b"GET /health HTTP/1.1\r\nX-Long: ", b"x" * 4096),
        (b"GET /", b"x" * 4096),
        (b"GET /health HTTP/1.1\r\n", b"X-Header: 1\r\n" * 300),
    ],
)
def test_an_endless_head_is_cut_off(server: LiveServer, start: bytes, rest: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(start)
        with pytest.raises(OSError):
            connection.sendall(rest * 10_000)
    with connect(server) as connection:
        connection.sendall(HEALTH.replace(b"Host: t", b"Host: t\r\nConnection: close"))
        assert b" 200 OK" in everything_from(connection)


def test_the_refusal_names_the_limit(server: LiveServer) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nX-Long: ")
        time.sleep(0.1)  # so that what follows comes by itself
        connection.sendall(b"x" * (MAX_HEAD_BYTES + 1))
        answer = everything_from(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert error["message"].endswith(f"larger than {MAX_HEAD_BYTES} bytes.")
    assert error["code"] == "invalid_http"


def test_a_large_head_within_the_limit_and_a_large_body_pass(server: LiveServer) -> None:
    with connect(server) as connection:
        for _ in range(3):  # each head counts by itself
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: t\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n")
            assert b" 200 OK" in answer_from(connection)
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
        body = b'{"model":"fake-model","messages":[{"role":"user","content":"x"}],"user":"' + b"x" * 500_000
        body += b'"}'
        post = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        connection.sendall(post + HEALTH[:20])  # the beginning of the next head comes with the end of a body
        assert b" 200 OK" in answer_from(connection)
        connection.sendall(HEALTH[20:])
        assert b" 200 OK" in answer_from(connection)


@pytest.mark.parametrize("beginning", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nX-Slow: "])
def test_a_head_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setattr(http_protocol, "MAX_HEAD_S", 0.3)
    with live_server(FakeClient()) as server, connect(server) as first, connect(server) as second:
        first.sendall(beginning)
        assert everything_from(first) == b""
        second.close()
    with live_server(FakeClient()) as server, connect(server) as connection:
        connection.sendall(HEALTH)
        assert b" 200 OK" in answer_from(connection)
        time.sleep(0.6)  # idle between requests is something else
        connection.sendall(HEALTH)
        assert b" 200 OK" in answer_from(connection)
        connection.sendall(beginning or b"G")
        assert everything_from(connection) == b""
