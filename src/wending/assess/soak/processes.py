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
        self._cpu_s: float | None = None
        self._read_at = 0.0

    def read(self, pid: int) -> dict[str, Any]:
        """Sums over the processes; shared pages count in each. Empty when the process is gone.

        `cpu_cores` is CPU seconds per second since the reading before, None at the first.
        """
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            self._cpu_s = None
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
        now = time.monotonic()
        cores = None
        # A process that ended takes its seconds with it: then there is no figure.
        if self._cpu_s is not None and cpu_s >= self._cpu_s and now > self._read_at:
            cores = round((cpu_s - self._cpu_s) / (now - self._read_at), 3)
        self._cpu_s, self._read_at = cpu_s, now
        return {"memory_bytes": memory, "threads": threads, "files": files, "cpu_cores": cores}


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
