"""Server-sent events, split on bytes: what arrives in arbitrary pieces comes out as whole events.

It knows nothing of JSON or of the OpenAI protocol. Format: https://html.spec.whatwg.org/multipage/server-
sent-events.html
"""

from __future__ import annotations


class EventSplitter:
    """Collects bytes and gives back the data of each event that has ended.

    Lines may end in LF, CR LF or CR; comment lines (pings) and fields other than `data` are dropped.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of every event that `piece` completes; its `data` lines are joined by LF."""
        buffer = self._rest + piece
        # A CR at the end may be the first half of a CR LF that the network cut in two.
        held = b"\r" if buffer.endswith(b"\r") else b""
        buffer = buffer[: len(buffer) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = buffer.split(b"\n")
        self._rest = rest + held
        return [event for line in lines if (event := self._line(line)) is not None]

    def finish(self) -> list[bytes]:
        """The last event, where the server ended the stream without the closing blank line."""
        lines = self._rest.replace(b"\r", b"\n").split(b"\n")
        self._rest = b""
        return [event for line in [*lines, b""] if (event := self._line(line)) is not None]

    def _line(self, line: bytes) -> bytes | None:
        if not line:
            event, self._data = self._data, []
            return b"\n".join(event) if event else None
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        return None
