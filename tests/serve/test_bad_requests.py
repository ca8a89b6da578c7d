"""Whatever a client gets wrong is answered by a 4xx that names it, in OpenAI's form
and leaves nothing behind."""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Iterator

import httpx
import psutil
import pytest
from tests.serve.bad_http import RAW
from tests.serve.bad_requests import Bad, bad_requests
from tests.serve.serving import Serving
from tests.serve.valid_requests import CHAT_URL, MAX_BODY, VALID

BAD = bad_requests()
ROUNDS = 8
MOST_GROWTH = 4 << 20  # bytes in those rounds, of server and engine together


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """The bundled model; a process of its own, so that its memory can be told."""
    serving = Serving("--max-body", str(MAX_BODY >> 20), "--max-context", "4096")
    reading = threading.Thread(target=lambda: deque(serving.process.stderr or (), maxlen=0))
    reading.start()  # its log would fill the pipe
    yield serving
    serving.stop()
    reading.join()


@pytest.fixture(scope="module")
def http(serving: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.url, timeout=60) as http:
        yield http


def good_answer(http: httpx.Client) -> str:
    """What a good request is answered."""
    response = http.post(CHAT_URL, json=VALID[CHAT_URL] | {"temperature": 0})
    assert response.status_code == 200, response.text
    text: str = response.json()["choices"][0]["message"]["content"]
    return text


@pytest.fixture(scope="module")
def expected(http: httpx.Client) -> str:
    return good_answer(http)


def ask(http: httpx.Client, bad: Bad) -> httpx.Response:
    return http.request(bad.method, bad.path, content=bad.body, headers=bad.headers)


def ask_raw(serving: Serving, sent: bytes) -> bytes:
    """All that comes until the server closes the connection."""
    url = httpx.URL(serving.url)
    received = b""
    with socket.create_connection((url.host, url.port), timeout=20) as connection:
        try:
            connection.sendall(sent)
            while part := connection.recv(1 << 16):
                received += part
        except (ConnectionResetError, BrokenPipeError):
            pass  # it closed with bytes of ours unread
    return received


def test_there_are_enough() -> None:
    assert len({(bad.method, bad.path, bad.body, *bad.headers.values()) for bad in BAD}) + len({*RAW}) > 500


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_bad_request(http: httpx.Client, expected: str, bad: Bad) -> None:
    response = ask(http, bad)
    assert response.status_code == bad.status, response.text
    error = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert bad.said in error["message"]
    if bad.param is not None:
        assert error["param"] == bad.param
        assert bad.param in error["message"]
    assert bad.code in (None, error["code"])
    assert good_answer(http) == expected


@pytest.mark.parametrize(("sent", "status"), RAW, ids=lambda value: str(value)[-60:])
def test_what_is_no_http(
    serving: Serving, http: httpx.Client, expected: str, sent: bytes, status: int
) -> None:
    head, _, body = ask_raw(serving, sent).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    assert good_answer(http) == expected


def test_they_leave_nothing_behind(serving: Serving, http: httpx.Client, expected: str) -> None:
    def a_round() -> None:
        for bad in BAD:
            ask(http, bad)
        for sent, _ in RAW:
            ask_raw(serving, sent)

    server = psutil.Process(serving.process.pid)

    def memory() -> int:
        return sum(process.memory_info().rss for process in (server, *server.children(recursive=True)))

    for _ in range(3):
        a_round()
    before = memory()
    for _ in range(ROUNDS):
        a_round()
    assert memory() - before < MOST_GROWTH
    health = http.get("/health").json()
    assert (health["running"], health["waiting"], health["restarts_total"]) == (0, 0, 0)
    assert health["kv_blocks_used"] == 0
    assert good_answer(http) == expected
