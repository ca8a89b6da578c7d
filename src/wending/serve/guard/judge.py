"""Has answers checked in processes of their own, so that no schema and no answer can hold the server up."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from wending.serve.guard.answer_schema import InvalidSchema
from wending.serve.guard.judge_process import CHECK_LIMIT_S, LENGTH, MEMORY_LIMIT_BYTES
from wending.serve.guard.verdict import Verdict

MAX_PROCESSES = 4
LIMITS = f"{CHECK_LIMIT_S:g} s of computing and {MEMORY_LIMIT_BYTES >> 30} GiB"


class Judge:
    """Up to MAX_PROCESSES checks at a time; others wait. Processes are started when needed and kept."""

    def __init__(self) -> None:
        self._idle: list[asyncio.subprocess.Process] = []
        self._free = asyncio.Semaphore(MAX_PROCESSES)

    async def check_schema(self, schema: Any) -> None:
        """Raises InvalidSchema if answers cannot be held against `schema`."""
        if await self._ask(schema, None) is None:
            raise InvalidSchema("", f"it could not be compiled within {LIMITS}")

    async def check_answer(self, text: str, schema: Any) -> Verdict:
        """See check_answer.py. An answer whose check takes too much is not valid."""
        answer = await self._ask(schema, text)
        if answer is None:
            return Verdict(None, problems=(f"it could not be checked within {LIMITS}",))
        valid_text, repairs, problems = answer["verdict"]
        return Verdict(valid_text, tuple(repairs), tuple(problems))

    async def close(self) -> None:
        """End the processes that are idle; call it when no check runs any more."""
        for process in self._idle:
            await _end(process)
        self._idle.clear()

    async def _ask(self, schema: Any, text: str | None) -> dict[str, Any] | None:
        """The answer of a process; None if it died over the question. Raises InvalidSchema."""
        question = json.dumps({"schema": json.dumps(schema), "text": text}).encode()
        async with self._free:
            process = self._idle.pop() if self._idle else await _start()
            try:
                answer = await _exchange(process, question)
            except (asyncio.IncompleteReadError, ConnectionError):
                await _end(process)
                return None
            except BaseException:  # cancelled: its answer would be taken for that of the next question
                process.kill()
                raise
            self._idle.append(process)
        if "invalid_schema" in answer:
            raise InvalidSchema(*answer["invalid_schema"])
        return answer


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        # -P: modules must not come from whatever folder this is run in
        *(sys.executable, "-P", "-m", "wending.serve.guard.judge_process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def _exchange(process: asyncio.subprocess.Process, question: bytes) -> dict[str, Any]:
    if process.stdin is None or process.stdout is None:
        raise TypeError("the process was started without pipes")
    process.stdin.write(LENGTH.pack(len(question)) + question)
    await process.stdin.drain()
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    answer: dict[str, Any] = json.loads(await process.stdout.readexactly(length))
    return answer


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
