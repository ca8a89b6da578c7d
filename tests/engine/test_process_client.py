"""The client as a service uses it, over a real worker: streams, hang-ups, refusals, its end."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.clients import (
    ENDLESS,
    GREEDY,
    REQUESTS,
    answer,
    answer_all,
    kill,
    pid_of,
    running,
    until_idle,
)
from tests.invariance.answers import Answer, answers
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine.constraint import Constraint
from wending.engine.errors import CheckpointError, EngineDead, InvalidRequest, NotEnoughMemory, Overloaded
from wending.engine.load import load_engine
from wending.engine.process_client import ProcessClient, load_client
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoints") / "Random-Qwen2", small_config())


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> list[list[Answer]]:
    """What REQUESTS answer in an engine of this process."""
    return answers(load_engine(folder).engine, REQUESTS)


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[ProcessClient]:
    async with running(folder) as client:
        yield client


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


async def test_streams_what_the_engine_makes(client: ProcessClient, folder: Path) -> None:
    deltas = [delta async for delta in client.generate([1, 2, 3], GREEDY, "r")]
    engine = load_engine(folder).engine
    engine.add_request("r", [1, 2, 3], GREEDY)
    expected = []
    while engine.has_work:
        expected += [delta for _, delta in engine.step()]
    assert deltas == expected


async def test_completions_of_one_request_are_interleaved_and_all_end(client: ProcessClient) -> None:
    params = SamplingParams(n=3, seed=1, max_tokens=5, ignore_eos=True)
    deltas = [delta async for delta in client.generate([1, 2, 3], params, "r")]
    assert [delta.index for delta in deltas[:3]] == [0, 1, 2]
    assert sum(delta.finish_reason is not None for delta in deltas) == 3


async def test_requests_with_the_same_id_do_not_mix(
    client: ProcessClient, undisturbed: list[list[Answer]]
) -> None:
    assert await answer_all(client, REQUESTS) == undisturbed


async def test_a_request_without_a_seed_is_told_the_one_it_got(client: ProcessClient) -> None:
    params = SamplingParams(max_tokens=20, ignore_eos=True, logprobs=0)
    deltas = [delta async for delta in client.generate([1, 2, 3], params, "r")]
    assert deltas[0].seed is not None
    again = await answer(client, [1, 2, 3], replace(params, seed=deltas[0].seed))
    assert again[0].token_ids == [token_id for delta in deltas for token_id in delta.token_ids]


async def test_a_refused_request_raises_at_the_first_step(client: ProcessClient) -> None:
    stream = client.generate([1] * 4096, GREEDY, "r")
    with pytest.raises(InvalidRequest, match="has 4096 tokens"):
        await anext(stream)
    with pytest.raises(InvalidRequest):
        await answer(client, [], GREEDY)
    assert (await answer(client, [1, 2, 3], GREEDY))[0].token_ids


async def test_whoever_asks_for_a_form_hears_that_it_can_be_enforced(client: ProcessClient) -> None:
    params = replace(GREEDY, constraint=Constraint("regex", "[a-z]{3}"))
    before = [delta async for delta in client.generate([1, 2, 3], params, "form")]
    assert (before[0].text, before[0].token_ids, before[0].finish_reason) == ("", [], None)
    assert re.fullmatch("[a-z]{3}", "".join(delta.text for delta in before))
    with pytest.raises(InvalidRequest, match="cannot be enforced"):
        await answer(client, [1, 2, 3], replace(GREEDY, constraint=Constraint("regex", "(")))


async def test_nonsense_in_a_request_fails_that_request_alone(client: ProcessClient) -> None:
    staying = asyncio.create_task(answer(client, [1, 2, 3], GREEDY))
    with pytest.raises(InvalidRequest, match="could not be added"):
        await answer(client, None, GREEDY)  # type: ignore[arg-type]
    assert (await staying)[0].finish_reason is not None


async def test_fifty_hang_ups_free_all_blocks(client: ProcessClient) -> None:
    staying = asyncio.create_task(answer(client, [1, 2, 3], GREEDY))

    async def hang_up(number: int) -> None:
        async with aclosing(client.generate([number] * (1 + number % 40), ENDLESS, str(number))) as stream:
            for _ in range(number % 5):
                await anext(stream)

    await asyncio.gather(*(hang_up(number) for number in range(50)))
    assert (await staying)[0].finish_reason is not None
    await until_idle(client)
    assert client.stats().kv_blocks_used == 0
    assert client.stats().error is None


async def test_cancelling_the_consumer_aborts_the_request(client: ProcessClient) -> None:
    task = asyncio.create_task(answer(client, [1, 2, 3], ENDLESS))
    while not client.stats().running:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_idle(client)
    assert client.stats().kv_blocks_used == 0


async def test_a_slow_consumer_loses_nothing(client: ProcessClient) -> None:
    expected = [delta async for delta in client.generate([1, 2, 3], GREEDY, "r")]
    stream = client.generate([1, 2, 3], GREEDY, "r")
    deltas = [await anext(stream)]
    await until_idle(client)
    deltas += [delta async for delta in stream]
    assert deltas == expected


async def test_idle_it_sleeps(client: ProcessClient) -> None:
    await answer(client, [1, 2, 3], GREEDY)
    await until_idle(client)
    await asyncio.sleep(0.05)
    reports = client._supervisor._reports
    status = Path(f"/proc/{pid_of(client)}/status")
    before = status.read_text()
    await asyncio.sleep(0.05)
    assert client._supervisor._reports == reports
    switches = [
        re.findall(r"\nvoluntary_ctxt_switches:\t(\d+)", text) for text in (before, status.read_text())
    ]
    assert switches[0] == switches[1]


async def test_closing_ends_what_is_in_flight_and_the_process(client: ProcessClient) -> None:
    pid = pid_of(client)
    task = asyncio.create_task(answer(client, [1, 2, 3], ENDLESS))
    while not client.stats().running:
        await asyncio.sleep(0.001)
    await client.close()
    with pytest.raises(EngineDead, match="the engine was closed"):
        await task
    assert client.stats().error == "the engine was closed"
    assert not Path(f"/proc/{pid}").exists()
    await client.close()


async def test_text_and_conversations_become_tokens(client: ProcessClient) -> None:
    assert client.encode_chat([{"role": "user", "content": "ab"}])[-1] != 0
    assert client.decode(client.encode("稳")) == "稳"


async def test_no_more_is_taken_than_can_wait(folder: Path) -> None:
    async with running(folder, max_requests=3, max_queued_tokens=100) as client:
        tasks = [asyncio.create_task(answer(client, [1, 2, 3], ENDLESS)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="3 requests are in flight"):
            await answer(client, [1, 2, 3], GREEDY)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        one = asyncio.create_task(answer(client, [1] * 100, ENDLESS))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="have 100 tokens; no more are taken from 100 on"):
            await answer(client, [1], GREEDY)
        one.cancel()


async def test_a_deadline_is_that_of_the_whole_request(folder: Path) -> None:
    """It also passes while the worker is down."""
    async with running(folder) as client:
        deltas = []
        async with aclosing(client.generate([1, 2, 3], ENDLESS, "r", Urgency(deadline_s=0.2))) as stream:
            async for delta in stream:
                if not deltas:
                    kill(client)
                deltas.append(delta)
        assert deltas[-1].error_code == "deadline_exceeded"


def test_a_model_that_cannot_be_loaded(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughMemory, match="not enough memory"):
        load_client(folder, memory=1000)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        load_client(tmp_path)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        load_client(folder, threads=0)
    with pytest.raises(EngineDead, match="died while it loaded the model: ended with exit status 3"):
        load_client(folder, command=[sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(OSError, match="nowhere"):
        load_client(folder, command=["/nowhere"])


def test_an_interrupted_load_leaves_no_process(folder: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_client(folder, progress=interrupt)
    end = time.monotonic() + 20
    while "wending.engine.worker" in living_children():
        assert time.monotonic() < end
        time.sleep(0.01)


def living_children() -> str:
    """Command lines of this process's children."""
    return subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True, check=False
    ).stdout.replace("<defunct>", "")


SERVICE = """
import asyncio, sys
from wending.engine.process_client import load_client
from wending.engine.sampling_params import SamplingParams
async def serve():
    client = load_client(sys.argv[1])
    await client.start()
    print(client.worker.pid, flush=True)
    async for delta in client.generate([1, 2, 3], SamplingParams(ignore_eos=True), "r"):
        pass
asyncio.run(serve())
"""


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_a_service_that_is_killed_leaves_no_worker(folder: Path, signal_number: int) -> None:
    service = subprocess.Popen([sys.executable, "-c", SERVICE, folder], stdout=subprocess.PIPE, text=True)
    assert service.stdout is not None
    worker = Path("/proc") / service.stdout.readline().strip()
    assert worker.exists()
    service.send_signal(signal_number)
    service.communicate()
    end = time.monotonic() + 20
    with suppress(FileNotFoundError, ProcessLookupError):  # it may go while it is looked at
        while "Z" not in (worker / "stat").read_text():
            assert time.monotonic() < end
            time.sleep(0.01)
