"""Memory, threads, open files and CPU of the server's processes; the machine's kills."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil


def family_of(pid: int) -> list[psutil.Process]:
    """The process and its descendants; empty when it is gone."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; neither a process of the same number later nor one that has ended unseen does."""
    with contextlib.suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


class ProcessTree:
    """The processes of a server; they may be others after a restart."""

    def __init__(self) -> None:
        self._own = psutil.Process()
        self._before: tuple[float, float, float] | None = None
        """Clock, and CPU seconds of the server and of whatever is neither it nor this process."""

    def read(self, family: Sequence[psutil.Process]) -> dict[str, Any]:
        """Sums over the processes; shared pages count in each. Empty when they are gone.

        `cpu_cores` is the server's CPU seconds per second since the reading before, None at the first, and
        `other_cores` that of all other processes but this one: they slow a server that has not changed.
        `files` is None where the processes are another user's, who alone may count them.
        """
        memory = threads = 0
        files: int | None = 0
        cpu_s = 0.0
        for process in family:
            with contextlib.suppress(psutil.Error), process.oneshot():
                memory += process.memory_info().rss
                threads += process.num_threads()
                times = process.cpu_times()
                cpu_s += times.user + times.system
                try:
                    files = None if files is None else files + process.num_fds()
                except psutil.AccessDenied:
                    files = None
        if not memory:
            self._before = None
            return {}
        rates = self._rates(cpu_s)
        return {"memory_bytes": memory, "threads": threads, "files": files, **rates}

    def _rates(self, server_s: float) -> dict[str, float | None]:
        machine, own = psutil.cpu_times(), self._own.cpu_times()
        # On Linux guest time is part of user time, and iowait is idle.
        busy_s = machine.user + machine.nice + machine.system + machine.irq + machine.softirq
        now = (time.monotonic(), server_s, busy_s - server_s - own.user - own.system)
        before, self._before = self._before, now
        if before is None or now[0] <= before[0]:
            return {"cpu_cores": None, "other_cores": None}
        elapsed = now[0] - before[0]
        server, other = ((now[index] - before[index]) / elapsed for index in (1, 2))
        if server < 0:
            # A process that ended took its seconds with it: then there is no figure.
            return {"cpu_cores": None, "other_cores": None}
        return {"cpu_cores": round(server, 3), "other_cores": round(max(other, 0.0), 3)}


def out_of_memory_kills() -> int | None:
    """Processes that the kernel of this machine has killed for want of memory; None where it does not say."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text("ascii").splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return None
