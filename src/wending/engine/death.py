"""What a worker died of, and whether that can be laid to what it computed."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from wending.engine.worker_process import FAULTS, WorkerProcess


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a worker that nobody asked for."""

    cause: str
    """For people: "killed by SIGSEGV, a fault"."""
    computing: tuple[str, ...]
    """Keys of the requests that it was computing."""
    is_proof: bool
    """Whether its own work killed it. A signal that another process has sent says nothing about requests; nor
    does SIGKILL, with which the kernel ends processes where memory runs out, whoever took it."""


def death_of(worker: WorkerProcess, status: int, failure: str | None) -> Death:
    """How a worker ended: its exit status, and the exception that it reported, if it did."""
    cause, is_proof = _cause(worker, status, failure)
    return Death(cause, tuple(worker.record.computing()), is_proof)


def _cause(worker: WorkerProcess, status: int, failure: str | None) -> tuple[str, bool]:
    if failure is not None:
        return failure, True
    if worker.killed_for is not None:
        return worker.killed_for, True
    sent = worker.record.outside_signal()
    if sent is not None:
        return f"killed by {sent}", sent.sender == worker.pid
    if status < 0 and -status in FAULTS:
        return f"killed by {_name(-status)}, a fault", True
    if status < 0:
        return f"killed by {_name(-status)}", False
    return f"ended with exit status {status}", True


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
