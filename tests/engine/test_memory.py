"""The service's two processes never take more than the budget that they print, whatever is asked of them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.engine.clients import running
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine.budget import MemoryBudget
from wending.engine.errors import Overloaded
from wending.engine.process_client import ProcessClient
from wending.engine.sampling_params import SamplingParams

ALLOWED_EXCESS = 1.05
INTERVAL_S = 0.05


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model", small_config())


class Peak:
    """The most memory that the engine's process has had, and by how much this one has grown, in bytes."""

    def __init__(self, client: ProcessClient) -> None:
        self._processes = (psutil.Process(client.worker.pid), psutil.Process())
        self._before = self._processes[1].memory_full_info().uss
        self.worker = self.growth = 0

    def measure(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.worker = max(self.worker, self._processes[0].memory_info().rss)
        self.growth = max(self.growth, self._processes[1].memory_full_info().uss - self._before)


@contextlib.contextmanager
def watching(peak: Peak) -> Iterator[None]:
    """Measures again and again meanwhile."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(INTERVAL_S):
            peak.measure()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        peak.measure()


async def drain(client: ProcessClient, prompt: list[int], params: SamplingParams) -> int:
    """Tokens of the answer."""
    count = 0
    async for delta in client.generate(prompt, params, "r"):
        count += len(delta.token_ids)
    return count


@pytest.mark.parametrize(("requests", "prompt"), [(2000, 30), (600, 4000)], ids=["many", "full context"])
async def test_queued_requests_stay_within_the_budget(folder: Path, requests: int, prompt: int) -> None:
    """This process is the tests' own, so what counts of it is only what the requests make it grow by."""
    budgets: list[MemoryBudget] = []
    params = SamplingParams(temperature=0, max_tokens=2, ignore_eos=True)
    async with running(folder, on_budget=budgets.append, gap_s=None) as client:
        peak = Peak(client)
        with watching(peak):
            prompts = ([number % 250, number // 250, *[7] * (prompt - 2)] for number in range(requests))
            answers = await asyncio.gather(*(drain(client, each, params) for each in prompts))
    (budget,) = budgets
    assert answers == [2] * requests
    taken = peak.worker + peak.growth + budget.program // 2
    assert taken < ALLOWED_EXCESS * budget.total
    assert peak.growth < budget.requests


async def test_more_than_the_budget_has_room_for_is_refused_at_once(folder: Path) -> None:
    params = SamplingParams(temperature=0, max_tokens=1, ignore_eos=True)
    async with running(folder, max_requests=4) as client:
        outcomes = await asyncio.gather(
            *(drain(client, [1, 2, number], params) for number in range(9)), return_exceptions=True
        )
    refused = [one for one in outcomes if isinstance(one, Overloaded)]
    assert len(refused) == 5
    assert "4 requests are in flight" in str(refused[0])
    assert [one for one in outcomes if not isinstance(one, Overloaded)] == [1] * 4
