"""Memory, threads, open files and CPU of the server's processes; the machine's kills and GPUs."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import psutil


class ProcessTree:
    """One process and its descendants; the process may be another one after a restart."""

    def __init__(self) -> None:
        self._own = psutil.Process()
        self._before: tuple[float, float, float] | None = None
        """Clock, and CPU seconds of the server and of whatever is neither it nor this process."""

    def read(self, pid: int) -> dict[str, Any]:
        """Sums over the processes; shared pages count in each. Empty when the process is gone.

        `cpu_cores` is the server's CPU seconds per second since the reading before, None at the first, and
        `other_cores` that of all other processes but this one: they slow a server that has not changed.
        """
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            self._before = None
            return {}
        memory = threads = files = 0
        cpu_s = 0.0
        for process in family:
            with contextlib.suppress(psutil.Error), process.oneshot():
                memory += process.memory_info().rss
                threads += process.num_threads()
                files += process.num_fds()
                times = process.cpu_times()
                cpu_s += times.user + times.system
        if not memory:
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


class Gpus:
    """Memory and use of this machine's NVIDIA GPUs through NVML, if its Python binding is installed."""

    def __init__(self) -> None:
        self._nvml: Any = None
        with contextlib.suppress(Exception):
            # Without the binding, the library or a GPU there is nothing to say, and that is no error.
            import pynvml  # type: ignore[import-untyped,import-not-found,unused-ignore]

            pynvml.nvmlInit()
            self._nvml = pynvml

    def read(self) -> dict[str, Any]:
        """Over all GPUs: bytes in use, and the mean share of time they were busy."""
        if self._nvml is None:
            return {}
        with contextlib.suppress(Exception):
            handles = [
                self._nvml.nvmlDeviceGetHandleByIndex(index)
                for index in range(self._nvml.nvmlDeviceGetCount())
            ]
            used = sum(self._nvml.nvmlDeviceGetMemoryInfo(handle).used for handle in handles)
            busy = [self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu for handle in handles]
            return {"gpu_memory_bytes": int(used), "gpu_busy": sum(busy) / (100 * max(len(busy), 1))}
        return {}
