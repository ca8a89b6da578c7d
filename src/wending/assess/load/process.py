"""`python -m wending.assess.load.process`: carries out the plans that come in at standard input.

Ends with its standard input, so that nothing is left over where the assessment was killed.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import traceback

import uvloop

from wending.assess.load.loop_lag import LoopLag
from wending.assess.load.messages import (
    LENGTH_BYTES,
    Counted,
    Ended,
    FromProcess,
    Overdue,
    Stop,
    length_of,
    pack,
    to_process,
)
from wending.assess.load.plan import LoadPlan
from wending.assess.load.run import LoadRun
from wending.assess.sockets import allow_as_many_sockets_as_possible


class _Process:
    def __init__(self, messages: asyncio.StreamReader, out: asyncio.WriteTransport) -> None:
        self._messages = messages
        self._out = out
        self._run: LoadRun | None = None

    async def serve(self) -> None:
        work: asyncio.Task[None] | None = None
        while True:
            try:
                head = await self._messages.readexactly(LENGTH_BYTES)
                message = to_process.decode(await self._messages.readexactly(length_of(head)))
            except asyncio.IncompleteReadError:
                break
            if isinstance(message, Stop):
                if self._run is not None:
                    self._run.drain() if message.how == "drain" else self._run.abort()
            else:
                # At once, because the order to stop may lie in the pipe already.
                self._run = self._prepared(message)
                work = asyncio.create_task(self._carry_out(self._run))
                work.add_done_callback(_end_with_a_mistake)
        if work is not None:
            work.cancel()

    def _prepared(self, plan: LoadPlan) -> LoadRun:
        return LoadRun(
            plan, self._send, lambda number: self._send(Overdue(number)), lambda: self._send(Counted())
        )

    async def _carry_out(self, run: LoadRun) -> None:
        # A collection takes milliseconds where many objects live, and delays every stream meanwhile.
        gc.collect()
        gc.freeze()
        gc.disable()
        began = time.process_time()
        try:
            with LoopLag() as lag:
                await run.run()
        finally:
            self._run = None
            gc.enable()
        self._send(Ended(lag.lags, time.process_time() - began))

    def _send(self, message: FromProcess) -> None:
        self._out.write(pack(message))


def _end_with_a_mistake(work: asyncio.Task[None]) -> None:
    """The traceback goes to standard error; the assessment notices that the process has ended."""
    if not work.cancelled() and (mistake := work.exception()) is not None:
        traceback.print_exception(mistake)
        raise SystemExit(1)


async def _main() -> None:
    loop = asyncio.get_running_loop()
    messages = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(messages), sys.stdin)
    out, _ = await loop.connect_write_pipe(asyncio.Protocol, sys.stdout)
    await _Process(messages, out).serve()


if __name__ == "__main__":
    allow_as_many_sockets_as_possible()
    uvloop.run(_main())
