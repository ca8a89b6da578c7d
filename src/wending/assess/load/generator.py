"""The load generator: as many processes as are needed, one event loop in each."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from wending.assess.bilingual import Bilingual
from wending.assess.load.messages import (
    LENGTH_BYTES,
    Counted,
    Ended,
    Overdue,
    Stop,
    ToProcess,
    from_process,
    length_of,
    pack,
)
from wending.assess.load.plan import LoadPlan
from wending.assess.load.record import RequestRecord


class GeneratorError(RuntimeError):
    """The load generator does not do its work: a process ended by itself, or cannot reach this machine.

    `words` is one sentence for the person who runs the assessment.
    """

    def __init__(self, words: Bilingual) -> None:
        self.words = words
        super().__init__(words)


@dataclass(slots=True)
class LoadResult:
    """Every request of a plan, those that were cut off included, and what the generator itself took."""

    records: list[RequestRecord] = field(default_factory=list)
    loop_lags: list[float] = field(default_factory=list)
    """Seconds; see LoopLag."""
    cpu_s: list[float] = field(default_factory=list)
    """Processor time of each process."""


class Watcher:
    """What a caller may do while a plan is carried out; the methods here do nothing."""

    stop: Callable[[bool], None]
    """Ends the load: let the requests under way end, or, with True, cut them off. Set by the generator."""

    def on_record(self, record: RequestRecord) -> None:
        """A request is over."""

    def on_overdue(self, number: int) -> None:
        """A counted request has no first token after the plan's patience."""


class LoadGenerator:
    """An async context manager, which starts and ends the processes. One plan at a time."""

    def __init__(self, processes: int = 1) -> None:
        self._count = processes
        self._processes: list[asyncio.subprocess.Process] = []
        self.sent_again = 0
        """Requests of all plans that went out a second time; see RequestRecord."""

    async def __aenter__(self) -> LoadGenerator:
        try:
            for _ in range(self._count):
                # A session of its own: Ctrl-C in the terminal is for the assessment.
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "wending.assess.load.process",
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
                )  # fmt: skip
                self._processes.append(process)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for process in self._processes:
            await process.wait()
        self._processes.clear()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    async def run(self, plan: LoadPlan, watcher: Watcher | None = None) -> LoadResult:
        """Carries out a plan. Raises GeneratorError. When it is cancelled the requests are cut off."""
        watcher = watcher or Watcher()
        parts = [plan.part(index, self._count) for index in range(self._count)]
        # A process without a stream has nothing to do, nor to report.
        working = [(process, part) for process, part in zip(self._processes, parts, strict=True) if part.work]
        result, uncounted = LoadResult(), len(working)

        def stop(cut_off: bool) -> None:
            for process, _ in working:
                _send(process, Stop("abort" if cut_off else "drain"))

        def counted() -> None:
            nonlocal uncounted
            uncounted -= 1
            if not uncounted:
                stop(False)

        watcher.stop = stop
        for process, part in working:
            _send(process, part)
        readers = [
            asyncio.ensure_future(self._read(process, result, watcher, counted)) for process, _ in working
        ]
        try:
            await asyncio.wait(readers, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            stop(True)
            await asyncio.wait(readers, timeout=1.0)  # so that the next plan finds no message of this one
            raise
        finally:
            for reader in readers:
                reader.cancel()
        for reader in readers:
            if reader.done():
                reader.result()
        return result

    async def _read(
        self,
        process: asyncio.subprocess.Process,
        result: LoadResult,
        watcher: Watcher,
        counted: Callable[[], None],
    ) -> None:
        """Takes what one process says until its part of the plan is over."""
        while True:
            match await _receive(process):
                case RequestRecord() as record:
                    result.records.append(record)
                    self.sent_again += record.sent_again
                    watcher.on_record(record)
                case Overdue(number):
                    watcher.on_overdue(number)
                case Counted():
                    counted()
                case Ended(loop_lags, cpu_s):
                    result.loop_lags += loop_lags
                    result.cpu_s.append(cpu_s)
                    return


def _send(process: asyncio.subprocess.Process, message: ToProcess) -> None:
    if process.stdin is not None:
        process.stdin.write(pack(message))


async def _receive(process: asyncio.subprocess.Process) -> object:
    if process.stdout is None:
        raise RuntimeError("a load process has no output")
    try:
        head = await process.stdout.readexactly(LENGTH_BYTES)
        return from_process.decode(await process.stdout.readexactly(length_of(head)))
    except asyncio.IncompleteReadError:
        status = await process.wait()
        raise GeneratorError(
            Bilingual(f"a load process ended with status {status}", f"负载进程已结束，状态 {status}")
        ) from None
