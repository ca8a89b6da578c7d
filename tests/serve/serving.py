"""`wending serve` as a process of its own."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Self

import psutil

ENVIRONMENT = os.environ | {"LC_ALL": "C.UTF-8"}


def start(*arguments: str | Path, new_session: bool = False, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "wending", "serve", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT | environment,
        start_new_session=new_session,
    )


def read_until(stream: IO[str], pattern: str) -> str:
    """Everything up to the first line in which `pattern` is found, as the process writes it."""
    text = ""
    for line in stream:
        text += line
        if re.search(pattern, line):
            return text
    raise AssertionError(f"{pattern!r} not found in: {text}")


class Serving:
    """A server of its own process that is ready."""

    def __init__(self, *arguments: str | Path, new_session: bool = False, **environment: str) -> None:
        self._wait(start(*arguments, "--port", "0", new_session=new_session, **environment))

    @classmethod
    def of(cls, process: subprocess.Popen[str]) -> Self:
        """A process that is starting, once it is ready."""
        serving = cls.__new__(cls)
        serving._wait(process)
        return serving

    def _wait(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        # The log of a test must fit, because nobody reads it before the end.
        fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.process = process
        self.output = read_until(process.stdout, r"Serving|已就绪")
        match = re.search(r"https?://[\d.]+:\d+", self.output)
        assert match is not None
        self.url = match.group()

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=30)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def hello(**fields: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello 你好"}]
    return {"model": "Random-Qwen2", "messages": messages, "seed": 7, "max_tokens": 40} | fields


def worker_of(serving: Serving) -> psutil.Process:
    """The engine's process."""
    [worker] = psutil.Process(serving.process.pid).children()
    return worker
