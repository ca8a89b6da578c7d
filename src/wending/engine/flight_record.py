"""What the engine's process was computing, for whoever finds it dead.

A few bytes of memory that both processes share and that outlive the engine's. It writes there before and
after each step; the service's process reads after its death.
"""

from __future__ import annotations

import mmap
import os
import signal
from collections.abc import Sequence
from typing import NamedTuple, Self

SIZE = 1 << 16
# Words of 8 bytes at the beginning, each written in one store; the keys follow, one a line.
_KEYS_LENGTH, _SIGNAL, _SENDER = range(3)
_KEYS_START = 64


class OutsideSignal(NamedTuple):
    """A signal that some process has sent, as opposed to a fault."""

    signal_number: int
    sender: int
    """Its process id."""

    def __str__(self) -> str:
        return f"{signal.Signals(self.signal_number).name}, which process {self.sender} sent"


class FlightRecord:
    """The shared memory behind the file descriptor `fd`."""

    def __init__(self, fd: int) -> None:
        """Raises OSError, or ValueError if that is too small a file."""
        self.fd = fd
        self._memory = mmap.mmap(fd, SIZE)
        self._words = memoryview(self._memory).cast("Q")

    @classmethod
    def create(cls) -> Self:
        """A new one, to be inherited through its file descriptor, which the caller closes."""
        fd = os.memfd_create("wending-flight-record")
        os.truncate(fd, SIZE)
        return cls(fd)

    # The engine's process writes.

    def begin_computing(self, keys: Sequence[str]) -> None:
        """These requests are being computed. Raises ValueError for more than fit."""
        octets = "\n".join(keys).encode()
        end = _KEYS_START + len(octets)
        if end > SIZE:
            raise ValueError(f"the keys of {len(keys)} requests take {len(octets)} bytes; there are {SIZE}")
        self._memory[_KEYS_START:end] = octets
        self._words[_KEYS_LENGTH] = len(octets)  # last, so that they count only when they are all there

    def end_computing(self) -> None:
        """The step is computed."""
        self._words[_KEYS_LENGTH] = 0

    def note_signal(self, signal_number: int, sender: int) -> None:
        """A deadly signal has come from another process."""
        self._words[_SENDER] = sender
        self._words[_SIGNAL] = signal_number

    # The service's process reads.

    def computing(self) -> list[str]:
        """The requests that it was computing, if any."""
        length = self._words[_KEYS_LENGTH]
        return self._memory[_KEYS_START : _KEYS_START + length].decode().split("\n") if length else []

    def outside_signal(self) -> OutsideSignal | None:
        """What another process killed it with, as far as it could tell: not by SIGKILL."""
        number = self._words[_SIGNAL]
        return OutsideSignal(number, self._words[_SENDER]) if number else None
