"""The scripted endpoint over its wire, asked by the client of the assessment."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import (
    BadStatus,
    ConnectionReset,
    CutOff,
    EndpointError,
    ProtocolError,
    Unreachable,
)
from wending.assess.scripted import Script, ScriptedProcess, ScriptedServer
from wending.assess.scripted.script import Capacity, Failures


async def ask(client: EndpointClient, number: int = 0, max_tokens: int = 64) -> ChatAnswer:
    return await client.chat(
        [{"role": "user", "content": f"Question {number}"}],
        max_tokens=max_tokens, temperature=0.7, top_p=0.9, seed=number,
    )  # fmt: skip


async def test_an_answer_comes_at_its_times() -> None:
    script = Script(ttft_s=0.05, token_s=0.02, tokens=5)
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        assert await client.resolve_model() == "scripted"
        answer = await ask(client)
    assert answer.text == "word0 word1 word2 word3 word4"
    assert (answer.tokens, answer.finish_reason) == (5, "stop")
    assert answer.ttft_s is not None
    assert answer.ttft_s >= 0.045
    # The tokens keep an absolute schedule: the last comes four gaps after the first.
    assert answer.content_times[-1] - answer.content_times[0] >= 0.07


@pytest.mark.parametrize(
    ("failures", "error", "kind"),
    [
        (Failures(http_error=1), BadStatus, "server_error"),
        (Failures(too_many_requests=1), BadStatus, "too_many_requests"),
        (Failures(bad_request=1), BadStatus, "request_refused"),
        (Failures(error_event=1), BadStatus, "server_error"),
        (Failures(bad_event=1), ProtocolError, "protocol_error"),
        (Failures(reset=1), ConnectionReset, "connection_reset"),
        (Failures(cut_off=1), CutOff, "cut_off"),
        (Failures(no_end=1), CutOff, "cut_off"),
    ],
)
async def test_a_planted_failure_is_one_for_the_client(
    failures: Failures, error: type[EndpointError], kind: str
) -> None:
    async with ScriptedServer(Script(failures=failures)) as server, EndpointClient(server.base_url) as client:
        with pytest.raises(error) as raised:
            await ask(client)
        assert not server.running
    assert raised.value.kind == kind


async def test_a_planted_reset_is_never_taken_for_the_closing_of_a_kept_connection() -> None:
    script = Script(failures=Failures(reset=0.5), tokens=2)
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        found = [
            one
            for number in range(20)
            for one in await asyncio.gather(ask(client, number), return_exceptions=True)
        ]
        assert server.served == 20
    assert {type(one) for one in found} == {ChatAnswer, ConnectionReset}
    assert client.sent_again == 0


async def test_an_answer_that_stalls_stops_in_its_middle() -> None:
    script = Script(failures=Failures(stall=1), tokens=6)
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        heard: list[float] = []
        client.on_content = heard.append
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(client), 0.3)
    assert heard


async def test_one_that_hangs_sends_nothing() -> None:
    script = Script(failures=Failures(hang=1))
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(client), 0.2)


async def test_a_field_that_it_refuses_is_left_out_by_the_client() -> None:
    script = Script(refused_fields=("stream_options",), tokens=3)
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        assert (await ask(client)).tokens == 3
    assert client.refused_fields == {"stream_options": "unknown field 'stream_options'"}
    assert client.usage_missing


async def test_beyond_its_capacity_requests_wait() -> None:
    script = Script(ttft_s=0.0, token_s=0.02, tokens=10, capacity=Capacity(2, "queue"))
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        answers = await asyncio.gather(*(ask(client, number) for number in range(4)))
        assert not server.running
        assert not server.waiting
    ttfts = sorted(answer.ttft_s or 0.0 for answer in answers)
    assert ttfts[2] >= 0.15


async def test_beyond_its_capacity_all_get_slower() -> None:
    script = Script(token_s=0.01, tokens=20, capacity=Capacity(2, "slow"))
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        crowd = await asyncio.gather(*(ask(client, number) for number in range(8)))
    # 100 tokens per second alone, 25 when eight share what is enough for two.
    assert max(answer.tokens_per_s or 0.0 for answer in crowd) < 50


async def test_beyond_its_capacity_requests_are_refused() -> None:
    script = Script(token_s=0.05, tokens=4, capacity=Capacity(1, "refuse"))
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        found = await asyncio.gather(*(ask(client, number) for number in range(3)), return_exceptions=True)
    assert sum(isinstance(one, BadStatus) and one.status == 429 for one in found) == 2


async def test_a_client_that_hangs_up_gives_its_place_back() -> None:
    script = Script(token_s=0.05, tokens=1000, capacity=Capacity(1, "queue"))
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        tasks = [asyncio.create_task(ask(client, number, 1000)) for number in range(2)]
        while not server.waiting:
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        while server.running or server.waiting:
            await asyncio.sleep(0.01)


async def test_a_leak_leaves_memory_behind_and_no_leak_does_not() -> None:
    grown = []
    for leak in (1 << 20, 0):
        script = Script(leak_bytes=leak, tokens=1)
        async with ScriptedProcess(script) as process, EndpointClient(process.base_url) as client:
            await ask(client)
            before = psutil.Process(process.pid).memory_info().rss
            for number in range(30):
                await ask(client, number)
            grown.append(psutil.Process(process.pid).memory_info().rss - before)
    assert grown[0] >= 28 << 20
    assert grown[1] < 8 << 20


def test_it_crashes_when_told_to(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"crash_after_s": 0.1}')
    command = [sys.executable, "-m", "wending.assess.scripted", "--port", "0", "--script", str(script)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert ended.stdout.startswith("http://127.0.0.1:")


async def test_it_ends_with_its_input_when_told_to() -> None:
    command = [sys.executable, "-m", "wending.assess.scripted", "--until-input-ends"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    base_url = (await process.stdout.readline()).decode().strip()
    async with EndpointClient(base_url) as client:
        assert await client.list_models() == ["scripted"]
        process.stdin.close()
        assert await process.wait() == 0
        with pytest.raises(Unreachable):
            await client.list_models()


def test_a_script_with_a_mistake_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"ttft": 1}')
    command = [sys.executable, "-m", "wending.assess.scripted", "--script", str(script)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert "`ttft`" in ended.stderr
