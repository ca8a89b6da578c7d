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


async def test_more_processes_than_streams_wait_for_nobody() -> None:
    async with ScriptedServer(Script(tokens=1)) as server, LoadGenerator(3) as generator:
        result = await generator.run(plan_for(server.base_url, Closed((0.0,), 1, 4, True), 8))
    assert sum(record.counted for record in result.records) == 4
    assert len(result.cpu_s) == 1


async def test_a_mistake_in_a_process_ends_the_plan() -> None:
    async with LoadGenerator() as generator:
        plan = plan_for("http://[nowhere", Closed((0.0,), 0, 1, False), 1)
        with pytest.raises(GeneratorError, match="status 1"):
            await generator.run(plan)


@pytest.mark.parametrize("streams", [1, 2, 3, 5])
def test_every_part_has_the_bodies_of_its_streams(streams: int) -> None:
    plan = plan_for(
        "http://127.0.0.1:1/v1", Closed(tuple(0.0 for _ in range(streams)), 1, 1, True), 6 * streams
    )
    parts = [plan.part(index, 2) for index in range(2)]
    assert sorted(parts[0].numbers + parts[1].numbers) == list(range(6 * streams))
    assert [len(part.bodies) for part in parts] == [6 * part.work for part in parts]
    assert all(part.bodies == tuple(plan.bodies[n] for n in part.numbers) for part in parts)
