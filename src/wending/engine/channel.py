"""Messages over a stream socket between two processes: the length of each, four bytes, then the message.

One end blocks, for the engine's process and for loading; the other lives in an event loop. When a process
dies, all messages that it sent whole still arrive and the one it was sending does not.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Generic, TypeVar, cast

import msgspec

from wending.engine.messages import Command, Report

_LENGTH = Struct("<I")
_READ_BYTES = 1 << 18

Message = TypeVar("Message")

command_decoder: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
report_decoder: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)
_encoder = msgspec.msgpack.Encoder()


class ChannelClosed(Exception):  # noqa: N818
    """The process at the other end is gone."""


def framed(message: Command | Report) -> bytearray:
    """A message as it is sent."""
    frame = bytearray(_LENGTH.size)
    _encoder.encode_into(message, frame, _LENGTH.size)
    _LENGTH.pack_into(frame, 0, len(frame) - _LENGTH.size)
    return frame


class Frames(Generic[Message]):
    """Puts messages together again from what arrives."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[Message]) -> None:
        self._decode = decoder.decode
        self._arrived = bytearray()

    def feed(self, octets: bytes) -> Iterator[Message]:
        """The messages that are complete with these bytes. Raises msgspec.DecodeError for what is none."""
        arrived = self._arrived
        arrived += octets
        start = 0
        try:
            while len(arrived) - start >= _LENGTH.size:
                begin = start + _LENGTH.size
                end = begin + _LENGTH.unpack_from(arrived, start)[0]
                if len(arrived) < end:
                    break
                start = end
                yield self._decode(memoryview(arrived)[begin:end])
        finally:
            self._arrived = arrived[start:]


class BlockingChannel(Generic[Message]):
    """An end that waits: in the engine's process, and in the service's while it has no event loop yet."""

    def __init__(self, end: socket.socket, decoder: msgspec.msgpack.Decoder[Message]) -> None:
        self._socket = end
        self._frames = Frames(decoder)

    def send(self, message: Command | Report) -> None:
        """Send a message. Raises ChannelClosed."""
        self._socket.settimeout(None)
        try:
            self._socket.sendall(framed(message))
        except OSError as error:
            raise ChannelClosed from error

    def receive(self, *, wait: bool, timeout_s: float | None = None) -> list[Message]:
        """The messages that are there. With `wait`: at least one, or none if it took longer than that.

        Raises ChannelClosed when the other side is gone and all it sent has been received.
        """
        messages: list[Message] = []
        while True:
            self._socket.settimeout(timeout_s if wait and not messages else 0)
            try:
                octets = self._socket.recv(_READ_BYTES)
            except (BlockingIOError, TimeoutError):
                return messages
            except OSError as error:
                raise ChannelClosed from error
            if not octets:
                if messages:
                    return messages
                raise ChannelClosed
            messages += self._frames.feed(octets)
            if len(octets) < _READ_BYTES and (messages or not wait):
                return messages


class ReportStream(asyncio.Protocol):
    """The service's end in its event loop: tells `receive` each message as it comes."""

    transport: asyncio.WriteTransport

    def __init__(self, receive: Callable[[Report], None]) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the other side is gone and all it sent has been received, or what came made no sense."""
        self._receive = receive
        self._frames = Frames(report_decoder)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)  # a stream socket's always is one

    def data_received(self, data: bytes) -> None:
        for message in self._frames.feed(data):
            self._receive(message)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, message: Command) -> None:
        """Send a message; to a process that is gone, nothing happens."""
        if not self.transport.is_closing():
            self.transport.write(framed(message))
