"""What is assessed: a running endpoint, or a checkpoint whose server is started and stopped here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

import aiohttp

from wending.assess.bilingual import Bilingual
from wending.assess.endpoint import normalize_base_url
from wending.assess.output import cannot_write

START_TIMEOUT = 600.0
"""Seconds a server may take from its start until GET /health answers 200."""
STOP_TIMEOUT = 10.0
"""Seconds a server may take to end after SIGTERM; then it is killed."""


class TargetError(Exception):
    """The target cannot be assessed: not a folder or URL, or its server did not start. `words` say which."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class Target:
    """`given` is what the user typed; there is a folder (None: the bundled model) or a base URL."""

    kind: Literal["bundled", "checkpoint", "endpoint"]
    given: str
    folder: Path | None = None
    base_url: str | None = None


def parse_target(given: str | None) -> Target:
    """A folder, a base URL, or None for the bundled model. Raises TargetError."""
    if given is None:
        return Target("bundled", "bundled model")
    if given.startswith(("http://", "https://")):
        try:
            return Target("endpoint", given, base_url=normalize_base_url(given))
        except ValueError as error:
            raise TargetError(error.args[0]) from None
    folder = Path(given).expanduser()
    if folder.is_dir():
        return Target("checkpoint", given, folder=folder)
    if folder.exists():
        raise TargetError(
            Bilingual(
                f"{given} is a file; a checkpoint is a folder with config.json and its weights",
                f"{given} 是文件；模型应是含有 config.json 和权重的文件夹",
            )
        )
    raise TargetError(
        Bilingual(
            f"{given} is neither an existing folder nor an http:// or https:// URL",
            f"{given} 既不是已有的文件夹，也不是 http:// 或 https:// 地址",
        )
    )


class OwnServer:
    """`wending serve` in a child process on a free port of this machine; its output goes to a log file.

    An async context manager: however the block is left, the process and its children are ended.
    """

    def __init__(self, folder: Path | None, log: Path, *, start_timeout: float = START_TIMEOUT) -> None:
        self.log = log
        self.port = _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self._folder = folder
        self._start_timeout = start_timeout
        self._process: asyncio.subprocess.Process | None = None
        self._log_file: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the server has not been started")
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """Exit status of the server process, None while it runs; negative: the signal that killed it."""
        return None if self._process is None else self._process.returncode

    async def __aenter__(self) -> OwnServer:
        await self.start()
        return self

    async def start(self) -> None:
        """Start the process; also again, after it has ended. Raises OutputError for its log."""
        command = [sys.executable, "-m", "wending", "serve"]
        command += [] if self._folder is None else [str(self._folder)]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        # Keys of the person's own server would lock this one, which is asked by this process alone.
        environment = {name: value for name, value in os.environ.items() if name != "WENDING_API_KEYS"}
        try:
            self._log_file = self._log_file or self.log.open("wb")
        except OSError as error:
            raise cannot_write(self.log, error) from None
        # A session of its own: Ctrl-C in the terminal reaches the assessment, which then stops the server
        # in order.
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._log_file,
            stderr=asyncio.subprocess.STDOUT,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )

    async def kill(self) -> None:
        """End the process and its children at once."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    async def wait_until_ready(self, progress: Callable[[float], None]) -> None:
        """Returns when GET /health answers 200; `progress` hears the seconds waited. Raises TargetError."""
        started = time.monotonic()
        health = f"http://127.0.0.1:{self.port}/health"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while True:
                waited = time.monotonic() - started
                if self.exit_status is not None:
                    end = self.describe_end()
                    raise TargetError(
                        Bilingual(f"the server did not start: {end}", f"服务未能启动：{end.zh}")
                    )
                if waited > self._start_timeout:
                    raise TargetError(
                        Bilingual(
                            f"the server was not ready after {waited:.0f} s; see {self.log}",
                            f"{waited:.0f} 秒后服务仍未就绪；见 {self.log}",
                        )
                    )
                progress(waited)
                try:
                    async with session.get(health) as response:
                        if response.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(0.1)

    def describe_end(self, lines: int = 3) -> Bilingual:
        """How the process ended, with the last lines that it wrote."""
        status = self.exit_status
        if status is not None and status < 0:
            how = Bilingual(f"killed by signal {-status}", f"被信号 {-status} 终止")
        else:
            how = Bilingual(f"exit status {status}", f"退出状态 {status}")
        tail = [line for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()][-lines:]
        said = " | ".join(tail or ["-"])
        return Bilingual(f"{how}; {self.log} ends with: {said}", f"{how.zh}；{self.log} 的结尾：{said}")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.returncode is None:
            self._signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT)
            except (TimeoutError, asyncio.CancelledError):
                self._signal(signal.SIGKILL)
                await self._process.wait()
        if self._log_file is not None:
            self._log_file.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
