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
from typing import Any, Self

TERMINATION_SECONDS = 10.0


class EngineError(Exception):
    """An engine could not be loaded or could not do a job."""


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
            self._process = subprocess.Popen(
                [os.fspath(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # a group of its own, to be stopped and continued with its children
            )
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
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def do(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Send a job and wait for its answer. Raises EngineError."""
        try:
            print(json.dumps(dict(job)), file=self._process.stdin, flush=True)
        except BrokenPipeError as error:
            raise self._failed("ended before its job") from error
        return self._answer()

    def stop(self) -> None:
        """End it and its children, also while paused."""
        for stop_signal in (signal.SIGTERM, signal.SIGKILL):
            self._signal(stop_signal)
            self._signal(signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(TERMINATION_SECONDS)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has ended: whoever waits for its answer will hear
            os.killpg(self._process.pid, number)

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
