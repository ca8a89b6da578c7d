"""Starts the engine's process and says how it ended. Knows nothing of requests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from wending.engine.flight_record import FlightRecord

COMMAND = (sys.executable, "-m", "wending.engine.worker")

FAULTS = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT})
"""What the processor or the program itself raises. A fault kills whether the signal is blocked or not; a
signal of that name that was sent waits, so that the process can tell one from the other."""

_STOPS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
"""What a terminal or a service manager sends to all processes of a service. The engine is needed until the
running answers are complete and ends when it is told to through the channel."""


class WorkerProcess:
    """The engine's process, from its start to its end.

    A thread starts it and lives as long as it does: the kernel kills the engine when that thread ends, as it
    does with the service, however that ends. The blocked signals are the thread's, and inherited.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        """Start `command`, to which the two file descriptors are added. Raises OSError if that fails."""
        self.socket, theirs = socket.socketpair()
        """Our end of the channel."""
        self.record = FlightRecord.create()
        self.exited: Future[int] = Future()
        """The exit status, negative for a signal, once it has ended."""
        self.killed_for: str | None = None
        """Why it was killed by `kill`."""
        started: Future[subprocess.Popen[bytes]] = Future()
        threading.Thread(
            target=self._run, args=(command, theirs, started), name="wending-worker", daemon=True
        ).start()
        try:
            self._process = started.result()
        except BaseException:
            self.socket.close()
            raise
        finally:
            theirs.close()
            os.close(self.record.fd)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def end(self, timeout_s: float) -> int:
        """Wait for its end, and after so many seconds kill it; the exit status."""
        try:
            return self.exited.result(timeout_s)
        except TimeoutError:
            self.kill()
            return self.exited.result()

    def kill(self, reason: str | None = None) -> None:
        """Kill it, if it has not ended. `reason` is what `killed_for` says from then on."""
        self.killed_for = self.killed_for or reason
        self._process.kill()

    def _run(
        self, command: Sequence[str], theirs: socket.socket, started: Future[subprocess.Popen[bytes]]
    ) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, FAULTS | _STOPS)
        fds = theirs.fileno(), self.record.fd
        try:
            process = subprocess.Popen([*command, *map(str, fds)], stdin=subprocess.DEVNULL, pass_fds=fds)
        except Exception as error:
            started.set_exception(error)
            return
        started.set_result(process)
        self.exited.set_result(process.wait())
