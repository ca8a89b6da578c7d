"""The generator's processes: nothing is lost between them, and none is left over."""

from __future__ import annotations

import asyncio
import os
import signal

import psutil
import pytest
from tests.assess.load.plans import plan_for

from wending.assess.load.generator import GeneratorError, LoadGenerator
from wending.assess.load.plan import Closed, Open
from wending.assess.scripted import Script, ScriptedServer


async def test_every_request_comes_back_once_from_whichever_process() -> None:
    async with ScriptedServer(Script(tokens=3)) as server, LoadGenerator(2) as generator:
        closed = Closed((0.0, 0.01, 0.02), 1, 2, True)
        result = await generator.run(plan_for(server.base_url, closed, 40))
        assert sum(record.counted for record in result.records) == 6
        numbers = [record.number for record in result.records]
        assert len(numbers) == len(set(numbers))
        assert len(result.cpu_s) == 2
        # The same processes carry out another plan.
        arrivals = tuple(0.01 * number for number in range(7))
        result = await generator.run(plan_for(server.base_url, Open(arrivals), 7))
        assert sorted(record.number for record in result.records) == list(range(7))
        assert all(record.answer.text == "word0 word1 word2" for record in result.records)


async def test_a_process_that_dies_is_noticed() -> None:
    async with ScriptedServer(Script(token_s=0.1, tokens=1000)) as server, LoadGenerator(2) as generator:
        plan = plan_for(server.base_url, Closed((0.0, 0.0), 0, 1, False), 2, max_tokens=1000)
        running = asyncio.create_task(generator.run(plan))
        while not server.running:
            await asyncio.sleep(0.01)
        os.kill(generator.pids[0], signal.SIGKILL)
        with pytest.raises(GeneratorError, match="status -9"):
            await running


async def test_a_plan_that_is_cancelled_leaves_a_generator_that_works() -> None:
    async with ScriptedServer(Script(token_s=0.05, tokens=1000)) as server, LoadGenerator() as generator:
        plan = plan_for(server.base_url, Closed((0.0,), 0, 1, False), 1, max_tokens=1000)
        running = asyncio.create_task(generator.run(plan))
        while not server.running:
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        short = plan_for(server.base_url, Closed((0.0,), 0, 2, False), 2, max_tokens=1)
        result = await generator.run(short)
        assert [record.number for record in result.records] == [0, 1]
        pids = generator.pids
    assert not any(psutil.pid_exists(pid) for pid in pids)
