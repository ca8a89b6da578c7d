"""The bare connection against servers that speak HTTP in every way there is, and some that do not."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest
from tests.assess.raw_server import END, EVENT, FILTER, STREAM, RawServer, chunked, compressed, whole

from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint_errors import (
    BadStatus,
    ConnectionReset,
    CutOff,
    EndpointTimeout,
    OutOfSockets,
    ProtocolError,
    Unauthorized,
    Unreachable,
)
from wending.assess.load import connection as connection_module
from wending.assess.load.connection import OUT_OF_SOCKETS, ChatConnection
from wending.assess.load.dial import Address


def address_of(raw: RawServer) -> Address:
    return Address(raw.base_url, {"Authorization": "Bearer secret"})


async def ask(connection: ChatConnection, address: Address, body: bytes = b"{}") -> ChatAnswer:
    answer = ChatAnswer(asyncio.get_running_loop().time())
    await connection.ask(address.request(body), answer)
    return answer


@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
@pytest.mark.parametrize(
    ("reply", "hang_up"),
    [
        (chunked(EVENT, EVENT, END), False),
        (chunked(EVENT + EVENT + END), False),
        (chunked(FILTER, EVENT, EVENT, END), False),
        (compressed(EVENT, EVENT, END), False),
        (STREAM + b"Content-Length: %d\r\n\r\n" % len(EVENT + EVENT + END) + EVENT + EVENT + END, False),
        (STREAM + b"Connection: close\r\n\r\n" + EVENT + EVENT + END, True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + chunked(EVENT, EVENT, END), False),
    ],
)
async def test_streams_are_read_in_any_pieces(reply: bytes, hang_up: bool, piece: int) -> None:
    async with RawServer(reply, piece=piece, hang_up=hang_up) as raw:
        address = address_of(raw)
        connection = ChatConnection(address)
        answer = await ask(connection, address, b'{"stream": true}')
        connection.close()
    assert (answer.text, answer.finish_reason, len(answer.content_times)) == ("teatea", "stop", 2)
    [request] = raw.requests
    assert request.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer secret\r\n" in request
    assert request.endswith(b'\r\n\r\n{"stream": true}')


async def test_a_connection_is_used_again() -> None:
    async with RawServer(chunked(EVENT, END)) as raw:
        address = address_of(raw)
        connection = ChatConnection(address)
        assert [(await ask(connection, address)).text for _ in range(2)] == ["tea", "tea"]
        connection.close()
    assert raw.connections == 1


async def test_a_request_on_a_connection_that_was_closed_meanwhile_is_sent_again() -> None:
    async with RawServer(chunked(EVENT, END), answers=1) as raw:
        address = address_of(raw)
        connection = ChatConnection(address)
        assert [(await ask(connection, address)).text for _ in range(3)] == ["tea"] * 3
        connection.close()
    assert (connection.sent_again, raw.connections, len(raw.requests)) == (2, 3, 5)


async def test_an_answer_that_had_begun_is_not_asked_for_again() -> None:
    async with RawServer(chunked(EVENT, END), chunked(EVENT)[:-5]) as raw:
        address = address_of(raw)
        connection = ChatConnection(address)
        await ask(connection, address)
        answer = ChatAnswer(asyncio.get_running_loop().time())
        asked = asyncio.create_task(connection.ask(address.request(b"{}"), answer))
        while not answer.text:
            await asyncio.sleep(0.01)
        raw.hang_up_now()
        with pytest.raises(CutOff, match="in the middle of an answer"):
            await asked
    assert (connection.sent_again, raw.connections) == (0, 1)


async def test_a_new_connection_that_is_closed_is_an_error_at_once() -> None:
    async with RawServer(answers=0) as raw:
        connection = ChatConnection(address_of(raw))
        with pytest.raises(ConnectionReset):
            await ask(connection, address_of(raw))
    assert (connection.sent_again, raw.connections) == (0, 1)


@pytest.mark.parametrize("number", OUT_OF_SOCKETS)
async def test_a_machine_without_sockets_is_no_fault_of_the_endpoint(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dial(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(connection_module, "dial", dial)
    address = Address("http://127.0.0.1:9/v1", {})
    with pytest.raises(OutOfSockets, match=f"no more connections: {os.strerror(number)}"):
        await ask(ChatConnection(address), address)


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (
            whole(b"500 Internal Server Error", b'{"error": {"message": "on fire"}}'),
            BadStatus,
            "HTTP 500: on fire",
        ),
        (whole(b"401 Unauthorized", b'{"error": "no"}'), Unauthorized, "the key was refused"),
        (whole(b"404 Not Found", b"{}"), BadStatus, "/v1/chat/completions)"),
        (whole(b"200 OK", b'{"choices": []}'), ProtocolError, "whole JSON body"),
        (chunked(b"data: {\n\n"), ProtocolError, "not JSON"),
        (chunked(EVENT), CutOff, "without a finish_reason after 3 characters"),
        (b"SMTP ready\r\n", ProtocolError, "does not speak HTTP"),
        (chunked(EVENT)[:-5], CutOff, "in the middle of an answer, after 3 characters"),
        (STREAM[:30], CutOff, "in the middle of an answer, after 0 characters"),
        (
            whole(b"429 Too Many Requests", b"slow down").replace(b"application/json", b"text/plain"),
            BadStatus,
            "HTTP 429: slow down",
        ),
        (STREAM + b"\r\n<html>", CutOff, "without a finish_reason"),
        (chunked(EVENT, b'data: {"error": {"message": "out of memory"}}\n\n'), BadStatus, "out of memory"),
        (b"", ConnectionReset, "lost before any answer"),
    ],
)
async def test_what_goes_wrong_has_a_name(reply: bytes, error: type[Exception], said: str) -> None:
    async with RawServer(reply, hang_up=True) as raw:
        address = address_of(raw)
        with pytest.raises(error) as caught:
            await ask(ChatConnection(address), address)
    assert said in str(caught.value)


async def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = Address(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", {})
        with pytest.raises(Unreachable):
            await ask(ChatConnection(address), address)


async def test_silence_ends_in_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "SILENCE_TIMEOUT", 0.05)
    async with RawServer(chunked(EVENT)[:-5]) as raw:
        address = address_of(raw)
        with pytest.raises(EndpointTimeout, match="went silent after 3 characters"):
            await ask(ChatConnection(address), address)


async def test_a_proxy_is_told_the_whole_url_and_this_machine_needs_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with RawServer(chunked(EVENT, END)) as raw:
        monkeypatch.setenv("http_proxy", f"http://user:pass@127.0.0.1:{raw.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert Address("http://localhost:1/v1", {}).proxy is None
        address = Address("http://model.example/v1", {})
        assert (await ask(ChatConnection(address), address)).text == "tea"
    [request] = raw.requests
    assert request.startswith(b"POST http://model.example/v1/chat/completions HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n" in request


async def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        writer.close()

    asked: list[bytes] = []
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        address = Address("https://model.example/v1", {})
        with pytest.raises(Unreachable, match=r"the proxy says HTTP/1\.1 403 Forbidden"):
            await ask(ChatConnection(address), address)
    assert asked[0].startswith(b"CONNECT model.example:443 HTTP/1.1\r\n")
