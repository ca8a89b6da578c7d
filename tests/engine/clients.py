"""Clients of real workers over a small random model, and what their requests answer."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.invariance.answers import Answer

from wending.engine.process_client import ProcessClient, load_client
from wending.engine.sampling_params import SamplingParams

LETHAL_WORKER = Path(__file__).with_name("lethal_worker.py")

Requests = Sequence[tuple[list[int], SamplingParams]]

GREEDY = SamplingParams(temperature=0, max_tokens=12, seed=0, logprobs=2)
ENDLESS = SamplingParams(temperature=0, ignore_eos=True, seed=0)
LONG = SamplingParams(temperature=0.8, max_tokens=300, ignore_eos=True, logprobs=1)
REQUESTS = [
    ([7 * count % 250 for count in range(3 + 9 * number)], replace(LONG, seed=number, n=1 + number % 2))
    for number in range(7)
]


def lethal_command(flag: Path | None = None) -> list[str]:
    """Starts the worker that dies of certain prompts; with `flag`, once in all."""
    return [sys.executable, str(LETHAL_WORKER), str(flag or "-")]


@asynccontextmanager
async def running(folder: Path, **options: Any) -> AsyncIterator[ProcessClient]:
    """A started client of a worker that serves the checkpoint `folder`."""
    client = await asyncio.to_thread(load_client, folder, **options)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def answer(client: ProcessClient, prompt: list[int], params: SamplingParams) -> list[Answer]:
    """All that a consumer gets of each completion."""
    collected = [Answer() for _ in range(params.n)]
    async for delta in client.generate(prompt, params, "r"):
        collected[delta.index].add(delta)
    return collected


async def answer_all(client: ProcessClient, requests: Requests) -> list[list[Answer]]:
    return await asyncio.gather(*(answer(client, *request) for request in requests))


def pid_of(client: ProcessClient) -> int:
    """The process that works for the client now."""
    return client.worker.pid


def kill(client: ProcessClient, signal_number: int = signal.SIGKILL) -> None:
    os.kill(pid_of(client), signal_number)


async def until_idle(client: ProcessClient) -> None:
    """Waits until the engine holds nothing; the test's time limit ends a wait in vain."""
    while client.stats().running or client.stats().waiting:
        await asyncio.sleep(0.001)


async def until_up(client: ProcessClient, restarts: int) -> None:
    """Waits until so many restarts are over."""
    while client.stats().restarting or client.stats().restarts_total < restarts:
        await asyncio.sleep(0.001)
