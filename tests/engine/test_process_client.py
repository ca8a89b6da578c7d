"""The client as a service uses it, over a real worker: streams, hang-ups, refusals, deaths."""

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
from types import SimpleNamespace

import pytest
from tests.engine.clients import (
    answer,
    answer_all,
    kill,
    lethal_command,
    pid_of,
    running,
    until_idle,
    until_up,
)
from tests.engine.lethal_worker import EXCEPTION, EXIT, FAULT, HANG, KILL, SENT_TO_ITSELF, prompt_of
from tests.invariance.answers import Answer, answers
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine import supervisor
from wending.engine.budget import MemoryBudget
from wending.engine.client import CompletionDelta, EngineStats
from wending.engine.constraint import Constraint
from wending.engine.death import Death
from wending.engine.errors import CheckpointError, EngineDead, InvalidRequest, NotEnoughMemory, Overloaded
from wending.engine.load import load_engine
from wending.engine.messages import Abort, Add, Step
from wending.engine.process_client import ProcessClient, load_client
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency

HANG_S = 2.0  # far more than a step takes on a busy machine

GREEDY = SamplingParams(temperature=0, max_tokens=12, seed=0, logprobs=2)
ENDLESS = SamplingParams(temperature=0, ignore_eos=True, seed=0)
LONG = SamplingParams(temperature=0.8, max_tokens=300, ignore_eos=True, logprobs=1)
REQUESTS = [
    ([7 * count % 250 for count in range(3 + 9 * number)], replace(LONG, seed=number, n=1 + number % 2))
    for number in range(7)
]


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


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
