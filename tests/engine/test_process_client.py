"""The client as a service uses it: streams, hang-ups, refusals, a dying engine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from tests.engine.fakes import GREEDY, FakeModel, FakeTokenizer, fake_engine

from wending.engine.client import CompletionDelta, ModelInfo
from wending.engine.errors import EngineDead, InvalidRequest
from wending.engine.prompt_encoder import PromptEncoder
from wending.engine.sampling_params import SamplingParams
from wending.engine.thread_client import ThreadClient
from wending.model.errors import ChatTemplateError
from wending.model.generation_config import GenerationConfig

ENDLESS = SamplingParams(temperature=0, ignore_eos=True, seed=0)
INFO = ModelInfo("fake", 4000, 258, 0, False, "float32", GenerationConfig())


class FakeTemplate:
    def encode(self, tokenizer: Any, messages: Any, tools: Any = None) -> list[int]:
        if not messages:
            raise ChatTemplateError("no messages")
        return [token for message in messages for token in tokenizer.encode(message["content"])]


class SlowModel(FakeModel):
    """Takes a moment for each step, so that there is time to hang up in the middle."""

    def forward(self, batch: Any, cache: Any) -> Any:
        time.sleep(0.001)
        return super().forward(batch, cache)


@pytest.fixture
def model() -> FakeModel:
    return SlowModel()


@pytest.fixture
async def client(model: FakeModel) -> AsyncIterator[ThreadClient]:
    engine = fake_engine(model=model, num_blocks=1000, max_context=4000, max_running=16)
    client = ThreadClient(engine, PromptEncoder(FakeTokenizer(), FakeTemplate()), INFO)  # type: ignore[arg-type]
    await client.start()
    yield client
    await client.close()


async def collect(client: ThreadClient, prompt: list[int], params: SamplingParams) -> list[CompletionDelta]:
    return [delta async for delta in client.generate(prompt, params, "r")]


async def until_idle(client: ThreadClient) -> None:
    """Waits until the engine holds nothing; the test's time limit ends a wait in vain."""
    while client.stats().running or client.stats().waiting:
        await asyncio.sleep(0.001)


async def test_streams_what_the_engine_makes(client: ThreadClient) -> None:
    deltas = await collect(client, [1, 2, 3], GREEDY)
    engine = fake_engine()
    engine.add_request("r", [1, 2, 3], GREEDY)
    expected = []
    while engine.has_work:
        expected += [delta for _, delta in engine.step()]
    assert deltas == expected


async def test_completions_of_one_request_are_interleaved_and_all_end(client: ThreadClient) -> None:
    deltas = await collect(client, [1, 2, 3], SamplingParams(n=3, seed=1, max_tokens=5, ignore_eos=True))
    assert [delta.index for delta in deltas[:3]] == [0, 1, 2]
    assert sum(delta.finish_reason is not None for delta in deltas) == 3


async def test_requests_with_the_same_id_do_not_mix(client: ThreadClient) -> None:
    one, two = await asyncio.gather(
        collect(client, [1, 2, 3], GREEDY), collect(client, [9, 9], GREEDY), return_exceptions=False
    )
    assert one == await collect(client, [1, 2, 3], GREEDY)
    assert two == await collect(client, [9, 9], GREEDY)


async def test_a_refused_request_raises_at_the_first_step(client: ThreadClient) -> None:
    stream = client.generate([1] * 4000, GREEDY, "r")
    with pytest.raises(InvalidRequest, match="has 4000 tokens"):
        await anext(stream)
    with pytest.raises(InvalidRequest):
        await collect(client, [], GREEDY)
    assert len(await collect(client, [1, 2, 3], GREEDY)) > 1


async def test_nonsense_in_a_request_fails_that_request_alone(client: ThreadClient) -> None:
    running = asyncio.create_task(collect(client, [1, 2, 3], GREEDY))
    with pytest.raises(InvalidRequest, match="could not be added"):
        await collect(client, None, GREEDY)  # type: ignore[arg-type]
    assert (await running)[-1].finish_reason is not None


async def test_fifty_hang_ups_free_all_blocks(client: ThreadClient) -> None:
    stays = asyncio.create_task(collect(client, [1, 2, 3], GREEDY))

    async def hang_up(number: int) -> None:
        async with aclosing(client.generate([number] * (1 + number % 40), ENDLESS, str(number))) as stream:
            for _ in range(number % 5):
                await anext(stream)

    await asyncio.gather(*(hang_up(number) for number in range(50)))
    assert (await stays)[-1].finish_reason is not None
    await until_idle(client)
    assert client.stats().kv_blocks_used == 0
    assert client.stats().error is None


async def test_cancelling_the_consumer_aborts_the_request(client: ThreadClient) -> None:
    task = asyncio.create_task(collect(client, [1, 2, 3], ENDLESS))
    while not client.stats().running:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_idle(client)
    assert client.stats().kv_blocks_used == 0


async def test_a_slow_consumer_loses_nothing(client: ThreadClient) -> None:
    expected = await collect(client, [1, 2, 3], GREEDY)
    stream = client.generate([1, 2, 3], GREEDY, "r")
    deltas = [await anext(stream)]
    await until_idle(client)
    deltas += [delta async for delta in stream]
    assert deltas == expected


async def test_idle_it_sleeps(client: ThreadClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await collect(client, [1, 2, 3], GREEDY)
    await until_idle(client)
    await asyncio.sleep(0.05)
    calls: list[None] = []

    def step() -> list[Any]:
        calls.append(None)
        return []

    monkeypatch.setattr(client._engine, "step", step)
    await asyncio.sleep(0.05)
    assert calls == []


async def test_a_failing_engine_ends_everything_with_its_reason(
    client: ThreadClient, model: FakeModel
) -> None:
    tasks = [asyncio.create_task(collect(client, [1, 2, number], ENDLESS)) for number in range(3)]
    while client.stats().running < 3:
        await asyncio.sleep(0.001)
    model.failure = MemoryError("no room")
    for task in tasks:
        with pytest.raises(EngineDead, match="the engine has failed: MemoryError: no room"):
            await task
    assert client.stats().error == "the engine has failed: MemoryError: no room"
    with pytest.raises(EngineDead, match="MemoryError"):
        await collect(client, [1], GREEDY)


async def test_closing_ends_what_is_in_flight(client: ThreadClient) -> None:
    task = asyncio.create_task(collect(client, [1, 2, 3], ENDLESS))
    while not client.stats().running:
        await asyncio.sleep(0.001)
    await client.close()
    with pytest.raises(EngineDead, match="the engine was closed"):
        await task
    assert client.stats().error == "the engine was closed"
    assert not any(thread.name == "wending-engine" for thread in threading.enumerate())
    await client.close()


async def test_text_and_conversations_become_tokens(client: ThreadClient) -> None:
    assert client.encode_chat([{"role": "user", "content": "ab"}]) == [97, 98]
    assert client.decode(client.encode("稳")) == "稳"
    with pytest.raises(InvalidRequest, match="messages: no messages"):
        client.encode_chat([])


def test_an_event_loop_that_is_gone_stops_the_thread() -> None:
    engine = fake_engine(model=SlowModel(), num_blocks=1000, max_context=4000)
    client = ThreadClient(engine, PromptEncoder(FakeTokenizer(), FakeTemplate()), INFO)  # type: ignore[arg-type]

    async def leave_in_the_middle() -> None:
        await client.start()
        await anext(client.generate([1, 2, 3], ENDLESS, "r"))
        client._streams.clear()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave_in_the_middle())
    loop.close()
    client._thread.join(timeout=30)
    assert not client._thread.is_alive()
