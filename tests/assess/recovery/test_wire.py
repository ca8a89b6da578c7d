"""Bare requests: each has a connection of its own."""

from __future__ import annotations

import asyncio

from wending.assess.recovery.wire import Wire

REPLY = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 27\r\n\r\n" + b'{"error": {"message":"no"}}'


async def test_what_becomes_of_one_connection_does_not_touch_the_next_request() -> None:
    """The server answers the first request of a connection and closes it at the second."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"hello")
        writer.write(REPLY)
        await writer.drain()
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, Wire(url, "m", {}) as wire:
        replies = [await wire.send(b"hello") for _ in range(3)]
    assert [(reply.status, reply.how) for reply in replies] == [(400, "no")] * 3
    assert connections == 3
