"""Workers that die under a client: answers go on, and a request that kills them is found."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.engine.clients import (
    ENDLESS,
    GREEDY,
    REQUESTS,
    answer,
    answer_all,
    kill,
    lethal_command,
    running,
    until_up,
)
from tests.engine.lethal_worker import EXCEPTION, EXIT, FAULT, HANG, KILL, SENT_TO_ITSELF, prompt_of
from tests.invariance.answers import Answer, answers
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine import supervisor
from wending.engine.budget import MemoryBudget
from wending.engine.client import CompletionDelta, EngineStats
from wending.engine.death import Death
from wending.engine.errors import EngineDead
from wending.engine.load import load_engine
from wending.engine.messages import Abort, Add, Step
from wending.engine.process_client import ProcessClient

HANG_S = 2.0  # far more than a step takes on a busy machine


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


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
async def test_killed_in_the_middle_of_answers_it_goes_on(
    client: ProcessClient, undisturbed: list[list[Answer]], signal_number: int
) -> None:
    answering = asyncio.create_task(answer_all(client, REQUESTS))
    while client.stats().tokens_generated_total < 500:
        await asyncio.sleep(0.001)
    kill(client, signal_number)
    assert await answering == undisturbed
    stats = client.stats()
    assert (stats.restarts_total, stats.restarting, stats.error) == (1, False, None)
    assert stats.last_death is not None
    assert signal.Signals(signal_number).name in stats.last_death
    assert stats.tokens_generated_total >= sum(len(one.token_ids) for all_ in undisturbed for one in all_)


async def test_requests_that_come_while_it_restarts_wait(
    client: ProcessClient, undisturbed: list[list[Answer]]
) -> None:
    kill(client)
    while not client.stats().restarting:
        await asyncio.sleep(0.001)
    assert await answer_all(client, REQUESTS) == undisturbed


async def test_an_idle_worker_that_is_killed_comes_back(client: ProcessClient) -> None:
    for restarts in (1, 2):
        kill(client)
        await until_up(client, restarts)
    assert client.stats().error is None
    assert (await answer(client, [1, 2, 3], GREEDY))[0].token_ids


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        (FAULT, "SIGSEGV, a fault"),
        (EXCEPTION, "too much"),
        (HANG, f"no step within {HANG_S:g} s"),
        (EXIT, "status 7"),
    ],
)
async def test_dying_once_of_a_request_harms_none(
    folder: Path, undisturbed: list[list[Answer]], tmp_path: Path, how: int, cause: str
) -> None:
    async with running(folder, command=lethal_command(tmp_path / "died"), hang_s=HANG_S) as client:
        answering = asyncio.create_task(answer_all(client, REQUESTS))
        while client.stats().tokens_generated_total < 500:
            await asyncio.sleep(0.001)
        [one] = await answer(client, prompt_of(how), GREEDY)
        assert one.finish_reason in ("stop", "length")
        assert await answering == undisturbed
        assert client.stats().restarts_total == 1
        assert cause in str(client.stats().last_death)


@pytest.mark.parametrize("how", [FAULT, SENT_TO_ITSELF, EXCEPTION, HANG, EXIT])
async def test_a_request_that_kills_twice_fails_alone(
    folder: Path, undisturbed: list[list[Answer]], how: int
) -> None:
    async with running(folder, command=lethal_command(), hang_s=HANG_S) as client:
        answering = asyncio.create_task(answer_all(client, REQUESTS))
        while client.stats().tokens_generated_total < 500:
            await asyncio.sleep(0.001)
        deltas = [delta async for delta in client.generate(prompt_of(how), replace(GREEDY, n=2), "r")]
        assert [(delta.index, delta.finish_reason, delta.error_code) for delta in deltas] == [
            (0, "error", "worker_crashed"),
            (1, "error", "worker_crashed"),
        ]
        assert re.search("died each time it computed this request, 2 times in a row", str(deltas[0].error))
        assert await answering == undisturbed
        assert client.stats().restarts_total == 2
        assert client.stats().error is None


async def test_several_such_requests_at_once_are_all_found(
    folder: Path, undisturbed: list[list[Answer]]
) -> None:
    async with running(folder, command=lethal_command()) as client:
        poison = [(prompt_of(FAULT, 6 + number), GREEDY) for number in range(3)]
        both = await answer_all(client, [*REQUESTS, *poison])
        assert both[: len(REQUESTS)] == undisturbed
        assert [one.finish_reason for [one] in both[len(REQUESTS) :]] == ["error"] * 3
        assert client.stats().restarts_total <= 6  # two for each, and fewer where they die together


async def test_a_request_at_which_it_is_killed_again_and_again_ends_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL proves nothing, but what exhausts the memory must not go on for ever."""
    monkeypatch.setattr(supervisor, "BACK_OFF_S", (0.0,))
    async with running(folder, command=lethal_command()) as client:
        [one] = await answer(client, prompt_of(KILL), GREEDY)
        assert one.finish_reason == "error"
        await until_up(client, 4)


async def test_a_suspect_may_leave_during_its_trial(folder: Path, undisturbed: list[list[Answer]]) -> None:
    async with running(folder, command=lethal_command(), hang_s=HANG_S) as client:
        poison = asyncio.create_task(answer(client, prompt_of(HANG), GREEDY))
        await until_up(client, 1)
        answering = asyncio.create_task(answer_all(client, REQUESTS))
        await asyncio.sleep(0.1)
        poison.cancel()  # the worker still hangs in it, and is killed, at nobody's expense
        assert await answering == undisturbed


async def test_a_worker_that_stopped_while_idle_is_noticed_when_there_is_work(folder: Path) -> None:
    async with running(folder, hang_s=HANG_S) as client:
        await answer(client, [1, 2, 3], GREEDY)
        kill(client, signal.SIGSTOP)
        await asyncio.sleep(1.2 * HANG_S)
        assert client.stats().restarts_total == 0
        assert (await answer(client, [1, 2, 3], GREEDY))[0].token_ids
        assert client.stats().restarts_total == 1


async def test_a_supervisor_that_fails_ends_everything(
    client: ProcessClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(death: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(client, "down", fail)
    task = asyncio.create_task(answer(client, [1, 2, 3], ENDLESS))
    while not client.stats().running:
        await asyncio.sleep(0.001)
    kill(client)
    with pytest.raises(EngineDead, match="the supervisor has failed: KeyError: 'a defect'"):
        await task


async def test_a_checkpoint_that_was_changed_is_not_served_on(tmp_path: Path) -> None:
    folder = write_random_checkpoint(tmp_path / "model", small_config())
    async with running(folder) as client:
        task = asyncio.create_task(answer(client, [1, 2, 3], ENDLESS))
        while not client.stats().running:
            await asyncio.sleep(0.001)
        os.utime(folder / "generation_config.json", (0, 0))
        kill(client)
        with pytest.raises(EngineDead, match=r"generation_config\.json: was changed while it was served"):
            await task
        with pytest.raises(EngineDead, match="was changed"):
            await answer(client, [1], GREEDY)
        assert "was changed" in str(client.stats().error)


async def test_it_is_given_up_when_no_restart_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(supervisor, "BACK_OFF_S", (0.0,))
    async with running(folder) as client:
        task = asyncio.create_task(answer(client, [1, 2, 3], ENDLESS))
        while not client.stats().running:
            await asyncio.sleep(0.001)
        client._supervisor._command = [sys.executable, "-c", "raise SystemExit(3)"]
        kill(client)
        with pytest.raises(EngineDead, match=r"3 restarts in a row have failed, .* exit status 3"):
            await task


async def test_a_restart_keeps_the_plan_of_the_first_start(tmp_path: Path) -> None:
    """Also where "auto" would choose another precision now."""
    wide = small_config(hidden_size=512, intermediate_size=8192, num_hidden_layers=4)
    folder = write_random_checkpoint(tmp_path / "wide", wide)
    budgets: list[MemoryBudget] = []
    for quant in ("int8", "bf16"):
        async with running(folder, quant=quant, on_budget=budgets.append):
            pass
    int8, bf16 = budgets
    one_context = int8.total - int8.kv_cache * 3 // 4
    memory = one_context + (bf16.weights - int8.weights) // 2  # some 25 MiB to either side
    async with running(folder, memory=memory) as client:
        assert client.info.precision == "int8"
        before = await answer(client, [1, 2, 3], GREEDY)
        client._supervisor._settings.memory = None  # as if more were free
        kill(client)
        await until_up(client, 1)
        assert await answer(client, [1, 2, 3], GREEDY) == before


class ScriptedSupervisor:
    """Notes what would be sent to a worker, as (kind, prompt)."""

    def __init__(self) -> None:
        self.info = SimpleNamespace(vocab_size=280, max_context=4096)
        self.is_up = True
        self.restarts_total, self.last_death = 0, None
        self.sent: list[Add | Abort] = []

    def send(self, command: Add | Abort) -> None:
        self.sent.append(command)

    def added(self) -> list[str]:
        """Keys of what was added since the last look."""
        keys = [command.key for command in self.sent if isinstance(command, Add)]
        self.sent.clear()
        return keys


async def test_a_suspect_is_computed_with_nothing_beside_it() -> None:
    scripted = ScriptedSupervisor()
    client = ProcessClient(scripted, None)  # type: ignore[arg-type]
    tasks = [asyncio.create_task(answer(client, [1] * length, GREEDY)) for length in (30, 10, 20)]
    await asyncio.sleep(0)
    keys = scripted.added()
    assert len(keys) == 3

    def step(*keys: str) -> Step:
        outputs = [(key, CompletionDelta(0, "a", [97], logprobs=[])) for key in keys]
        return Step(outputs, EngineStats(1, 0, 1, 9, 1, 1.0))

    client.receive(step(*keys))
    scripted.is_up = False
    client.down(Death("a fault", tuple(keys[:2]), is_proof=True))
    tasks.append(asyncio.create_task(answer(client, [1, 2], GREEDY)))
    await asyncio.sleep(0)
    assert scripted.added() == []
    assert client.stats().waiting == 4
    scripted.is_up = True
    client.up()
    [first] = scripted.added()
    assert first.startswith("1/")  # the shorter one
    client.receive(step())
    assert scripted.sent == []
    client.receive(step(first))
    assert Abort(first) in scripted.sent
    [second] = scripted.added()
    assert second.startswith("0/")
    client.receive(step(first))  # computed before the abort: it will be computed again
    client.receive(step(second))
    late = scripted.added()
    assert [key.split("/")[0] for key in late] == ["1", "2", "3"]
    client.receive(step(first, *late))
    client.dead("closed")
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(error, EngineDead) for error in errors)
    assert client.stats().waiting == 0
