"""Keeps an engine's process running: starts it, watches it, and starts another one when it has died.

Always with the plan of the first start, because another precision or another checkpoint would answer other
bytes. Knows nothing of requests but the keys that a dead process was computing.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from wending.engine.budget import MemoryBudget
from wending.engine.channel import BlockingChannel, ChannelClosed, ReportStream, report_decoder
from wending.engine.checkpoint_files import CheckpointFiles
from wending.engine.client import ModelInfo
from wending.engine.death import Death, death_of
from wending.engine.errors import CheckpointError, EngineDead
from wending.engine.messages import (
    Abort,
    Add,
    Failed,
    Hello,
    Load,
    LoadFailed,
    Loading,
    Planned,
    Ready,
    Refused,
    Report,
    Step,
    Stop,
    Taken,
    add_message,
)
from wending.engine.sampling_params import SamplingParams
from wending.engine.worker_process import COMMAND, WorkerProcess

_log = logging.getLogger(__name__)

DEFAULT_HANG_S = 120.0
LOADING_HANG_S = 600.0
"""A worker that loads tells its progress; one that does not for so long hangs."""
TICKS = 10
"""A hang is found by so many looks in a row. Time alone would not do: if the machine, or both processes, were
stopped for an hour, the worker has not hung for an hour."""
BACK_OFF_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
"""What is waited before a restart, by how many workers before it died without a token for any request."""
FAILED_STARTS = 3
"""After so many in a row that failed before their first token it is given up."""
KILLED_STARTS = 60
"""The same for those that somebody killed, as the kernel does where memory is short: that may pass."""
STOP_S = 1.0
"""What a worker is given to end its step when it is told to stop. There is nothing for it to save."""
END_S = 10.0
"""What a process is given to disappear once its channel is closed."""

PROBE = "probe"
"""Key of the request by which a new worker shows that it makes tokens."""


class Users(ABC):
    """Whoever uses the engine. All this is said in the event loop."""

    @abstractmethod
    def receive(self, report: Step | Taken | Refused) -> None:
        """What the worker says of its requests."""

    @abstractmethod
    def expects_more(self) -> bool:
        """Whether the worker has any request, and so makes steps."""

    @abstractmethod
    def up(self) -> None:
        """A new worker has made its first token and takes requests."""

    @abstractmethod
    def down(self, death: Death) -> None:
        """The worker is dead and what it was given is lost."""

    @abstractmethod
    def dead(self, reason: str) -> None:
        """There will be no worker any more."""


class Supervisor:
    """The life of an engine over all its processes."""

    info: ModelInfo
    _loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        settings: Load,
        checkpoint: Path,
        *,
        command: Sequence[str] = COMMAND,
        hang_s: float = DEFAULT_HANG_S,
    ) -> None:
        """`checkpoint` is where the model of `settings` lies. `hang_s`: how long a step may take at most."""
        self.restarts_total = 0
        self.is_up = True
        """Whether the present worker has shown that it makes tokens."""
        self.last_death: str | None = None
        self.worker = WorkerProcess(command)
        """The present process, which may be dead."""
        self._settings = settings
        self._files = CheckpointFiles(checkpoint)
        self._command = command
        self._hang_s = hang_s
        self._closing = False
        self._barren = 0  # deaths in a row without a token for any request
        self._failed_starts = self._killed_starts = 0  # in a row
        self._failure: str | None = None  # that the present worker has reported
        self._loading = False
        self._reports = 0  # received so far
        self._is_asked = False  # whether something was sent that no report has answered yet

    def load(
        self,
        progress: Callable[[int, int], None] | None = None,
        on_budget: Callable[[MemoryBudget], None] | None = None,
    ) -> None:
        """Wait for the first worker to load, in any thread. Raises what `load_engine` raises, and EngineDead
        for a worker that died. What the callbacks raise ends it as well."""
        channel = BlockingChannel(self.worker.socket, report_decoder)
        try:
            channel.send(Hello())
            channel.send(self._settings)
            while True:
                reports = channel.receive(wait=True, timeout_s=LOADING_HANG_S)
                if not reports:
                    raise EngineDead(f"the engine's process said nothing for {LOADING_HANG_S:g} s of loading")
                for report in reports:
                    match report:
                        case Hello():
                            report.check()
                        case Planned() if on_budget is not None:
                            on_budget(report.budget)
                        case Loading() if progress is not None:
                            progress(report.done, report.total)
                        case LoadFailed():
                            raise report.error()
                        case Ready():
                            self.info = report.info
                            self._settings = msgspec.structs.replace(self._settings, budget=report.budget)
                            return
        except ChannelClosed:
            death = death_of(self.worker, self.worker.end(END_S), None)
            raise EngineDead(f"the engine's process died while it loaded the model: {death.cause}") from None
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill the worker, before `start`."""
        self.worker.kill()
        self.worker.socket.close()

    async def start(self, users: Users) -> None:
        """Serve `users` in this event loop, with the worker that has been loaded."""
        self._users = users
        self._loop = asyncio.get_running_loop()
        self._stream = await self._connect()
        self._tasks = [asyncio.create_task(self._supervise()), asyncio.create_task(self._watch())]

    def send(self, command: Add | Abort) -> None:
        """Give the worker a command; if it is dead, nothing happens."""
        self._is_asked = True
        self._stream.send(command)

    async def close(self) -> None:
        """End the worker, at the latest after a second. A second call does nothing."""
        if self._closing:
            return
        self._closing = True
        for task in self._tasks:
            task.cancel()
        self._stream.send(Stop())
        await asyncio.to_thread(self.worker.end, STOP_S)
        self._stream.transport.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self) -> ReportStream:
        stream = ReportStream(self._receive)
        await self._loop.create_unix_connection(lambda: stream, sock=self.worker.socket)
        return stream

    def _receive(self, report: Report) -> None:
        self._reports += 1
        self._is_asked = False
        match report:
            case Step() if self.is_up:
                if report.outputs:
                    self._barren = 0
                self._users.receive(report)
            case Step():
                self._end_probe(report)
            case Taken() | Refused():
                self._users.receive(report)
            case Failed():
                self._failure = report.message
            case LoadFailed():
                self._failure = str(report.error())
            case Hello():
                try:
                    report.check()
                except EngineDead as error:
                    self._failure = str(error)
            case Ready():
                self._loading = False
                self._failure = self._difference(report)
                if self._failure is None:
                    self._begin_probe()
        if self._failure is not None:
            self._stream.transport.abort()

    def _difference(self, ready: Ready) -> str | None:
        """Why a new worker would answer other bytes than the first, or None."""
        try:
            self._files.check_unchanged()
        except CheckpointError as error:
            return str(error)
        for name in ("max_context", "precision", "kv_precision", "instruction_set"):
            before, now = getattr(self.info, name), getattr(ready.info, name)
            if before != now:
                return f"the restarted engine has {name} {now}, the first had {before}"
        return None

    def _begin_probe(self) -> None:
        params = SamplingParams(temperature=0.0, max_tokens=1, ignore_eos=True, seed=0)
        self.send(add_message(PROBE, array("i", [0]), params))

    def _end_probe(self, step: Step) -> None:
        for key, delta in step.outputs:
            if key != PROBE:
                continue
            if delta.error is not None:
                self._failure = f"the first token could not be generated: {delta.error}"
                return
            self.is_up = True
            _log.warning("the engine's process is up again (restart %d)", self.restarts_total)
            self._users.receive(Step([], step.stats))
            self._users.up()

    async def _supervise(self) -> None:
        try:
            await self._keep_running()
        except Exception as error:
            _log.critical("the supervisor has failed", exc_info=True)
            self.worker.kill()
            self._users.dead(f"the supervisor has failed: {type(error).__name__}: {error}")

    async def _keep_running(self) -> None:
        """Until it is closed or given up: wait for the worker's death, and start the next one."""
        while True:
            death = await self._death()
            self._count_start(death)
            self.is_up = False
            self._users.down(death)
            reason = self._reason_to_give_up(death)
            if reason is not None:
                _log.critical("the engine is given up: %s", reason)
                self._users.dead(reason)
                return
            await asyncio.sleep(BACK_OFF_S[min(self._barren, len(BACK_OFF_S) - 1)])
            self._barren += 1
            try:
                await self._restart()
            except OSError as error:
                self._failure = f"no process could be started: {error}"

    async def _death(self) -> Death:
        """Waits for the end of the worker."""
        await self._stream.closed
        status = await asyncio.to_thread(self.worker.end, END_S)
        death = death_of(self.worker, status, self._failure)
        self.last_death = death.cause
        _log.error(
            "the engine's process %d has died: %s; it was computing %d requests",
            self.worker.pid, death.cause, len(death.computing),
        )  # fmt: skip
        return death

    def _reason_to_give_up(self, death: Death) -> str | None:
        try:
            self._files.check_unchanged()
        except CheckpointError as error:
            return f"{error}; the engine's process had died: {death.cause}"
        for count, most in ((self._failed_starts, FAILED_STARTS), (self._killed_starts, KILLED_STARTS)):
            if count >= most:
                return f"{most} restarts in a row have failed, the last one: {death.cause}"
        return None

    def _count_start(self, death: Death) -> None:
        """Note whether the worker that died had come to its first token."""
        if self.is_up:
            self._failed_starts = self._killed_starts = 0
        elif death.is_proof:
            self._failed_starts += 1
        else:
            self._killed_starts += 1

    async def _restart(self) -> None:
        self.restarts_total += 1
        self._failure, self._loading, self._is_asked = None, True, False
        self.worker = await asyncio.to_thread(WorkerProcess, self._command)
        self._stream = await self._connect()
        self._stream.send(Hello())
        self._stream.send(self._settings)

    async def _watch(self) -> None:
        """Kill a worker that has something to do, or loads, and says nothing."""
        interval_s = self._hang_s / TICKS
        seen, ticks = self._reports, 0
        while True:
            await asyncio.sleep(interval_s)
            is_busy = self._loading or self._is_asked or self._users.expects_more()
            ticks = ticks + 1 if is_busy and seen == self._reports else 0
            seen = self._reports
            if self._loading and ticks * interval_s >= LOADING_HANG_S:
                self.worker.kill(f"killed, because it said nothing for {LOADING_HANG_S:g} s of loading")
            elif not self._loading and ticks >= TICKS:
                self.worker.kill(f"killed, because it made no step within {self._hang_s:g} s")
