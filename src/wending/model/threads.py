"""How many threads the kernels use: as many as there are processors this process may really use."""

from __future__ import annotations

import math
import os
from pathlib import Path

from wending import _kernels

THREADS_VARIABLE = "WENDING_THREADS"
CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # "quota period" in microseconds, or "max period"


def use_available_processors() -> int:
    """Sizes the kernels' thread pool to the machine, or to the environment variable WENDING_THREADS.

    Returns the number of threads. Raises ValueError when the variable is not a positive whole number.
    """
    threads = available_processors()
    asked = os.environ.get(THREADS_VARIABLE)
    if asked:
        if not asked.isdecimal() or int(asked) == 0:
            raise ValueError(f"{THREADS_VARIABLE} must be a positive whole number, is {asked!r}")
        threads = int(asked)
    if threads != _kernels.threads():
        _kernels.set_threads(threads)
    return threads


def use_threads(threads: int) -> None:
    """Sizes the kernels' thread pool to `threads`. Raises ValueError unless that is a positive number."""
    if threads < 1:
        raise ValueError(f"threads must be at least 1, is {threads}")
    if threads != _kernels.threads():
        _kernels.set_threads(threads)


def size_thread_pool(threads: int | None) -> None:
    """Sizes the kernels' thread pool to `threads`; None: to the machine. Raises ValueError."""
    if threads is None:
        use_available_processors()
    else:
        use_threads(threads)


def threads_in_use() -> int:
    """How many threads the kernels use at present."""
    return _kernels.threads()


def available_processors(cgroup_limit: Path = CGROUP_LIMIT) -> int:
    """Processors this process may run on, within its container's limit (cgroup v2) if it has one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cgroup_limit.read_text().split()
        if quota != "max":
            allowed = min(allowed, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        pass  # no such limit here
    return allowed
