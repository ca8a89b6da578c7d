"""The scripted endpoint in a process of its own, so that it does not share an event loop with its client."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import msgspec

from wending.assess.scripted.script import Script

START_TIMEOUT = 30.0
"""Seconds until the process must have named its URL."""


class ScriptedProcess:
    """An async context manager; `base_url` is known inside it. Raises OSError where it does not start.

    It is not left over where this process is killed: its standard input ends.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self.base_url = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    async def __aenter__(self) -> ScriptedProcess:
        text = msgspec.json.encode(self._script).decode()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wending.assess.scripted", "--json", text, "--until-input-ends",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            if self._process.stdout is not None:
                line = await asyncio.wait_for(self._process.stdout.readline(), START_TIMEOUT)
                self.base_url = line.decode().strip()
            if not self.base_url:
                raise OSError("the scripted endpoint did not start")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
