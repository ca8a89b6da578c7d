"""Processor time of a generator with all its processes, of the server and of the machine."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import psutil

INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """Processor time until `when`, a moment of the monotonic clock. All in seconds."""

    when: float
    generator_s: float
    server_s: float
    machine_s: float
    """Of all processes, on all cores."""


@contextlib.asynccontextmanager
async def watched(generator: Sequence[int], server: int) -> AsyncIterator[list[Sample]]:
    """A list that grows by a sample every INTERVAL_S. Both are process ids; descendants count with them."""
    found: list[Sample] = []
    task = asyncio.create_task(_watch(generator, server, found))
    try:
        yield found
    finally:
        task.cancel()


async def _watch(generator: Sequence[int], server: int, found: list[Sample]) -> None:
    while True:
        machine = psutil.cpu_times()
        busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0) - getattr(machine, "guest", 0.0)
        found.append(Sample(time.monotonic(), sum(map(_taken, generator)), _taken(server), busy))
        await asyncio.sleep(INTERVAL_S)


def _taken(root: int) -> float:
    taken = 0.0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(root)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times = one.cpu_times()
                taken += times.user + times.system
    return taken


def rates_between(samples: Sequence[Sample], start: float, end: float) -> tuple[float, float, float] | None:
    """Cores' worth of processor time that the generator, the server and all others took between two moments.

    None where fewer than two samples lie between."""
    inside = [sample for sample in samples if start <= sample.when <= end]
    if len(inside) < 2:
        return None
    first, last = inside[0], inside[-1]
    seconds = last.when - first.when
    generator = (last.generator_s - first.generator_s) / seconds
    server = (last.server_s - first.server_s) / seconds
    machine = (last.machine_s - first.machine_s) / seconds
    return generator, server, max(machine - generator - server, 0.0)
