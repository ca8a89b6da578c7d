"""Cuts a stream of bytes into server-sent events, wherever the network has cut it.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html. Only `data` matters here.
"""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\n|\r")
MAX_EVENT_BYTES = 16 * 2**20


class SSESplitter:
    """Feed it pieces of any size; it gives back the data of each event that a blank line has ended."""

    def __init__(self) -> None:
        self._buffer = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """Raises ValueError when an event grows beyond MAX_EVENT_BYTES."""
        self._buffer += piece
        events = []
        begin = 0
        for line_end in _LINE_END.finditer(self._buffer):
            if line_end[0] == b"\r" and line_end.end() == len(self._buffer):
                break  # a line feed that belongs to it may follow in the next piece
            events += self._take_line(self._buffer[begin : line_end.start()])
            begin = line_end.end()
        self._buffer = self._buffer[begin:]
        if len(self._buffer) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise ValueError(f"an event has more than {MAX_EVENT_BYTES} bytes")
        return events

    def end(self) -> list[bytes]:
        """The stream has ended: its last event, if the blank line after it was left out."""
        return self.feed(b"\n\n")

    def _take_line(self, line: bytes) -> list[bytes]:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
        if line or not self._data:
            return []
        event, self._data = b"\n".join(self._data), []
        return [event]


def as_event(data: bytes) -> bytes:
    """The event that carries `data`."""
    return b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
