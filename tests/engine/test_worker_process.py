from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wending.engine.death import death_of
from wending.engine.worker_process import WorkerProcess

# The start of a worker without an engine, which then does as it is told.
PROGRAM = """
import ctypes, os, signal, socket, sys, time
from wending.engine.flight_record import FlightRecord
from wending.engine.worker import _note_signals_from_outside
channel, record = socket.socket(fileno=int(sys.argv[1])), FlightRecord(int(sys.argv[2]))
_note_signals_from_outside(record)
record.begin_computing(["1/1"])
channel.sendall(b"x")
{then}
"""


@pytest.fixture
def start() -> Callable[[str], WorkerProcess]:
    def start(then: str) -> WorkerProcess:
        worker = WorkerProcess([sys.executable, "-c", PROGRAM.format(then=then)])
        assert worker.socket.recv(1) == b"x"
        return worker

    return start


Start = Callable[[str], WorkerProcess]


@pytest.mark.parametrize(
    ("then", "cause", "is_proof"),
    [
        ("ctypes.string_at(0)", "killed by SIGSEGV, a fault", True),
        ("os.abort()", "killed by SIGABRT, a fault", True),
        ("sys.exit(7)", "ended with exit status 7", True),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL", False),
        ("os.kill(os.getpid(), signal.SIGUSR1); time.sleep(9)", "killed by SIGUSR1", False),
        ("os.kill(os.getpid(), 40); time.sleep(9)", "killed by signal 40", False),
    ],
)
def test_what_it_died_of(start: Start, then: str, cause: str, is_proof: bool) -> None:
    worker = start(then)
    death = death_of(worker, worker.end(30), None)
    assert (death.cause, death.is_proof, death.computing) == (cause, is_proof, ("1/1",))


@pytest.mark.parametrize(
    "number", [signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT]
)
def test_a_signal_that_was_sent_is_no_fault(start: Start, number: signal.Signals) -> None:
    """Also in the middle of a computation that holds the interpreter's lock for a while."""
    worker = start("while True: sum(range(1000))")
    os.kill(worker.pid, number)
    death = death_of(worker, worker.end(30), None)
    assert death.cause == f"killed by {number.name}, which process {os.getpid()} sent"
    assert not death.is_proof


def test_one_that_it_sent_itself_is_its_own_doing(start: Start) -> None:
    worker = start("os.kill(os.getpid(), signal.SIGSEGV); time.sleep(9)")
    death = death_of(worker, worker.end(30), None)
    assert death.is_proof
    assert "SIGSEGV" in death.cause


def test_a_reported_failure_and_a_reason_to_kill_say_more_than_the_status(start: Start) -> None:
    worker = start("time.sleep(60)")
    worker.kill("killed, because it made no step")
    status = worker.end(30)
    assert status == -signal.SIGKILL
    assert death_of(worker, status, None).cause == "killed, because it made no step"
    assert death_of(worker, status, "ValueError: why").cause == "ValueError: why"
    worker.kill()  # it is gone: nothing happens


def test_what_a_terminal_sends_to_all_does_not_end_it(start: Start) -> None:
    worker = start("time.sleep(60)")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(worker.pid, number)
    time.sleep(0.1)
    assert not worker.exited.done()
    assert worker.end(0) == -signal.SIGKILL


def test_its_end_closes_the_channel(start: Start) -> None:
    worker = start("time.sleep(60)")
    worker.kill()
    assert worker.socket.recv(1) == b""


def test_a_command_that_is_none_leaves_nothing_open() -> None:
    before = open_files()
    for _ in range(20):
        with pytest.raises(FileNotFoundError):
            WorkerProcess(["/nowhere"])
    gc.collect()
    assert open_files() < before + 20


def test_a_worker_that_is_gone_leaves_nothing_open(start: Start) -> None:
    before = open_files()
    for _ in range(3):
        start("sys.exit(0)").end(30)
    gc.collect()
    assert open_files() < before + 3


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
