"""Memory and CPU of the server process and its children, sampled while the assessment runs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

SAMPLE_INTERVAL = 0.5
"""Seconds between two samples."""
MAX_SAMPLES = 240
"""Above this every second sample is dropped and the interval doubles: the sampler's memory is bounded."""


@dataclass(slots=True)
class Resources:
    """`samples` are (seconds since the start, resident bytes). None, with the reason, if not measured.

    Resident bytes are summed over the processes of the server: pages that they share count more than once.
    """

    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    samples: list[tuple[float, int]] = field(default_factory=list)
    reason: Mapping[str, str] | None = None


NOTHING_MEASURED = {"en": "nothing was measured", "zh": "没有测量"}
NOT_OUR_SERVER = {
    "en": "the server was not started by the assessment",
    "zh": "服务不是由本次评测启动的",
}


class ResourceSampler:
    """Samples one process tree from `start` to `stop`."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._resources = Resources(peak_memory_bytes=0, cpu_seconds=0.0, wall_seconds=0.0)
        self._interval = SAMPLE_INTERVAL
        self._started = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._cpu_before = 0.0
        """Seconds that a server which ran already had taken before."""

    def start(self) -> None:
        self._started = time.monotonic()
        self._cpu_before = self._read()[1]
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> Resources:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._sample()
        return self._resources

    async def _run(self) -> None:
        while self._sample():
            await asyncio.sleep(self._interval)

    def _sample(self) -> bool:
        """Takes one sample; False when the process is gone."""
        memory, cpu = self._read()
        if not memory:
            return False
        result, elapsed = self._resources, time.monotonic() - self._started
        result.peak_memory_bytes = max(result.peak_memory_bytes or 0, memory)
        result.cpu_seconds = max(result.cpu_seconds or 0.0, cpu - self._cpu_before)
        result.wall_seconds = elapsed
        result.samples.append((elapsed, memory))
        if len(result.samples) > MAX_SAMPLES:
            del result.samples[1::2]
            self._interval *= 2
        return True

    def _read(self) -> tuple[int, float]:
        """Bytes, and CPU seconds since the processes began; zeros when they are gone."""
        memory, cpu = 0, 0.0
        with contextlib.suppress(psutil.Error):
            for process in (self._process, *self._process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    cpu += times.user + times.system + times.children_user + times.children_system
                    memory += process.memory_info().rss
        return memory, cpu
