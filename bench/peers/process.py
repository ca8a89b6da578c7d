"""The driver's end of an adapter: a subprocess that is stopped while others are measured."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

TERMINATION_SECONDS = 10.0


class EngineError(Exception):
    """An engine could not be loaded or could not do a job."""


def start_group(
    command: Sequence[str | Path], errors: IO[bytes], environment: Mapping[str, str], pipe: int | None
) -> subprocess.Popen[str]:
    """Starts a process in a group of its own, so that signals reach its children too. `pipe`: what its input
    and output are; None: no input, and output goes where errors go."""
    return subprocess.Popen(
        [os.fspath(part) for part in command],
        stdin=subprocess.DEVNULL if pipe is None else pipe,
        stdout=errors if pipe is None else pipe,
        stderr=errors,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,
    )


def signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended: whoever waits for its answer will hear
        os.killpg(process.pid, number)


def end_group(process: subprocess.Popen[str]) -> None:
    """Ends the process and its children, also while stopped."""
    for end_signal in (signal.SIGTERM, signal.SIGKILL):
        signal_group(process, end_signal)
        signal_group(process, signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TERMINATION_SECONDS)
    process.wait()


class EngineProcess:
    """A running adapter, loaded and paused. Use as a context manager, or call `stop`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        cores: Sequence[int] = (),
    ) -> None:
        """Start `command` on `cores` (none: any) and wait until it has loaded. Raises EngineError."""
        self.name = name
        self._log = log
        self._started = time.perf_counter()
        with log.open("ab") as errors:
            self._process = start_group(command, errors, environment or {}, subprocess.PIPE)
        if cores:
            os.sched_setaffinity(self._process.pid, cores)
        try:
            ready = self._answer()
        except BaseException:
            self.stop()
            raise
        self.load_seconds: float = ready["load_seconds"]
        self.facts: dict[str, Any] = ready["facts"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def seconds_since_start(self) -> float:
        return time.perf_counter() - self._started

    def pause(self) -> None:
        """Nothing of it runs any more: several engines wait busily for their next job."""
        signal_group(self._process, signal.SIGSTOP)

    def resume(self) -> None:
        signal_group(self._process, signal.SIGCONT)

    def do(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Send a job and wait for its answer. Raises EngineError."""
        try:
            print(json.dumps(dict(job)), file=self._process.stdin, flush=True)
        except BrokenPipeError as error:
            raise self._failed("ended before its job") from error
        return self._answer()

    def stop(self) -> None:
        """End it and its children, also while paused."""
        end_group(self._process)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise self._failed(f"ended with status {self._process.wait()}")
        message: dict[str, Any] = json.loads(line)
        if message["event"] == "failed":
            raise self._failed(message["error"])
        return message

    def _failed(self, what: str) -> EngineError:
        return EngineError(f"{self.name}: {what}; see {self._log}")
