from __future__ import annotations

import asyncio
import socket
import threading
import time
from array import array
from collections.abc import Iterator

import msgspec
import pytest
import uvloop
from tests.engine.fakes import GREEDY

from wending.engine.channel import (
    BlockingChannel,
    ChannelClosed,
    Frames,
    ReportStream,
    command_decoder,
    framed,
    report_decoder,
)
from wending.engine.messages import Abort, Command, Loading, Report, Stop, add_message


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, 1000])
def test_messages_are_put_together_from_any_pieces(piece: int) -> None:
    messages = [Loading(done, 1 << done) for done in range(20)]
    octets = b"".join(map(framed, messages))
    frames = Frames(report_decoder)
    arrived: list[Report] = []
    for start in range(0, len(octets), piece):
        arrived += frames.feed(octets[start : start + piece])
    assert arrived == messages


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        list(Frames(report_decoder).feed(b"\x01\x00\x00\x00\xc1"))


def test_without_waiting_there_may_be_nothing(ends: tuple[socket.socket, socket.socket]) -> None:
    channel = BlockingChannel(ends[1], command_decoder)
    assert channel.receive(wait=False) == []
    ends[0].sendall(framed(Abort("1")) + framed(Stop()) + framed(Abort("2"))[:-1])
    assert channel.receive(wait=False) == [Abort("1"), Stop()]
    assert channel.receive(wait=False) == []
    ends[0].sendall(framed(Abort("2"))[-1:])
    assert channel.receive(wait=True) == [Abort("2")]


def test_waits_until_a_message_is_whole(ends: tuple[socket.socket, socket.socket]) -> None:
    def send() -> None:
        for octet in framed(Abort("1")):
            time.sleep(0.002)
            ends[0].sendall(bytes([octet]))

    sending = threading.Thread(target=send)
    sending.start()
    assert BlockingChannel(ends[1], command_decoder).receive(wait=True) == [Abort("1")]
    sending.join()


def test_waiting_has_a_bound(ends: tuple[socket.socket, socket.socket]) -> None:
    assert BlockingChannel(ends[1], command_decoder).receive(wait=True, timeout_s=0.01) == []


def test_all_that_is_there_is_taken_at_once(ends: tuple[socket.socket, socket.socket]) -> None:
    """However much it is; and what is larger than the socket's buffers arrives too."""
    sent: list[Command] = [
        add_message(str(count), array("i", range(count * 997)), GREEDY) for count in range(200)
    ]
    sending = threading.Thread(target=lambda: [ends[0].sendall(framed(one)) for one in sent])
    sending.start()
    channel = BlockingChannel(ends[1], command_decoder)
    received: list[Command] = []
    while len(received) < len(sent):
        received += channel.receive(wait=True)
    sending.join()
    assert received == sent


def test_a_half_message_at_the_end_is_dropped(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].sendall(framed(Abort("1")) + framed(Abort("2"))[:-1])
    ends[0].close()
    channel = BlockingChannel(ends[1], command_decoder)
    assert channel.receive(wait=True) == [Abort("1")]
    with pytest.raises(ChannelClosed):
        channel.receive(wait=True)
    with pytest.raises(ChannelClosed):
        channel.send(Loading(1, 2))


@pytest.mark.parametrize("new_event_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_the_event_loop_s_end(new_event_loop: object) -> None:
    async def talk() -> None:
        ours, theirs = socket.socketpair()
        received: list[Report] = []
        stream = ReportStream(received.append)
        await asyncio.get_running_loop().create_unix_connection(lambda: stream, sock=ours)
        stream.send(Abort("1"))
        channel = BlockingChannel(theirs, command_decoder)
        assert await asyncio.to_thread(channel.receive, wait=True) == [Abort("1")]
        for done in range(1000):
            channel.send(Loading(done, 1000))
            if done % 100 == 0:
                await asyncio.sleep(0)
        theirs.sendall(framed(Loading(1, 2))[:-1])
        theirs.close()
        await stream.closed
        assert received == [Loading(done, 1000) for done in range(1000)]
        stream.send(Abort("2"))  # to nobody

    with asyncio.Runner(loop_factory=new_event_loop) as runner:  # type: ignore[arg-type]
        runner.run(talk())


async def test_nonsense_closes_the_stream() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        stream = ReportStream(lambda report: None)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        await loop.create_unix_connection(lambda: stream, sock=ours)
        theirs.sendall(b"\x01\x00\x00\x00\xc1")
        await stream.closed
