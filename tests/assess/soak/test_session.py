"""Soaks of scripted endpoints, and of a server that is killed: hours are fractions of a second here."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson
import psutil
import pytest
from rich.console import Console
from tests.assess.decided import Decided, Request, say
from tests.assess.full_disk import files_of_at_most
from tests.assess.in_thread import in_thread

from wending.assess.endpoint import EndpointClient
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.reply import Reply, refusal
from wending.assess.scripted.script import UnderLoad
from wending.assess.soak.canary import PROMPTS, CanarySet
from wending.assess.soak.log import NAME, SoakLog, read_log
from wending.assess.soak.main import BROKEN_OFF, DONE, INTERRUPTED, USAGE, SoakOptions, report_soak, run_soak
from wending.assess.soak.plan import SoakPlan, canary_interval, concurrency_of
from wending.assess.soak.session import SoakSession
from wending.assess.soak.summary import summarize
from wending.assess.soak.view import LiveView, PlainView, Status
from wending.assess.target import OwnServer

LEAKING = "kept = []\nwhile True: kept.append(b'x' * 200_000); print(flush=True); time.sleep(0.02)"
FLAT = "kept = b'x' * 20_000_000\nwhile True: print(flush=True); time.sleep(0.02)"


@dataclass
class ProcessAsServer:
    """Stands for our server where only its process counts."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_status(self) -> int | None:
        return self.process.poll()


@contextlib.contextmanager
def running(script: str) -> Iterator[ProcessAsServer]:
    command = [sys.executable, "-c", f"import time\n{script}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        yield ProcessAsServer(process)
    finally:
        process.kill()
        process.wait()
        drain.wait()


async def soak(
    url: str,
    folder: Path,
    server: ProcessAsServer | None = None,
    process: psutil.Process | None = None,
    **plan: Any,
) -> dict[str, Any]:
    settings = {"duration_s": 1.5, "sample_s": 0.05, "canary_s": 0.5, "stall_s": 20.0, **plan}
    made = SoakPlan(concurrency=3, **settings)
    console = Console(quiet=True)
    with SoakLog(folder) as log:
        async with EndpointClient(url, model="m") as client:
            canaries = CanarySet(client)
            await canaries.learn()
            log.write("start", head(made, canaries))
            view = PlainView(console, "en")
            ours = cast("OwnServer | None", server)
            await SoakSession(client, ours, made, canaries, log, view, process=process).run()
        log.write("end", {"reason": "done"})
    return summarize(folder).to_json()


def head(plan: SoakPlan, canaries: CanarySet) -> dict[str, Any]:
    target = {"kind": "checkpoint", "given": "m", "base_url": "u", "model": "m", "demonstration": False}
    return {"target": target, "plan": plan.to_json(), "environment": {}, "baseline": canaries.baseline}


@pytest.mark.parametrize(("script", "rises"), [(LEAKING, True), (FLAT, False)])
async def test_a_leak_is_found_and_level_memory_is_none(tmp_path: Path, script: str, rises: bool) -> None:
    with running(script) as server:
        async with ScriptedServer(Script(ttft_s=0.02, tokens=3)) as endpoint:
            report = await soak(endpoint.base_url, tmp_path, server, duration_s=3.0)
    trends = {row["name"]: row for row in report["trends"]}
    assert trends["memory_bytes"]["rises"] is rises
    assert trends["threads"]["rises"] is False
    assert report["complete"]
    assert report["crashes"]["n"] == 0
    assert report["canary"]["loaded"]["k"] == report["canary"]["loaded"]["n"] > 0
    assert report["requests"] > 0


async def test_a_stall_of_all_requests_is_told(tmp_path: Path) -> None:
    numbers = itertools.count()

    def script(_: Request) -> Reply:
        return say("tea", first_s=1.2 if 40 <= next(numbers) < 44 else 0.01)

    async with Decided(script) as endpoint:
        report = await soak(endpoint.base_url, tmp_path, duration_s=3.0, stall_s=0.4, canary_s=60.0)
    assert report["event_counts"]["stall_begin"] >= 1
    assert report["stalls"]["longest_s"] > 0.4


async def test_answers_that_drift_and_errors_by_kind(tmp_path: Path) -> None:
    numbers = itertools.count()

    def script(request: Request) -> Reply:
        number = next(numbers)
        is_canary = request["messages"][0]["content"] in PROMPTS.values()
        if not is_canary and number % 2:
            return refusal(503, "busy")
        return say("later" if number > 2 * len(PROMPTS) else "first", first_s=0.01)

    async with Decided(script) as endpoint:
        report = await soak(endpoint.base_url, tmp_path)
    assert report["errors"]["http_503"] > 0
    assert report["canary"]["loaded"]["k"] == 0
    assert report["canary"]["differing"][0]["text"] == "later"


async def test_the_last_canaries_are_alone(tmp_path: Path) -> None:
    """A round under load that is under way at the end does not go on beside them."""
    script = Script(ttft_s=0.08, tokens=2, under_load=UnderLoad(1))
    async with ScriptedServer(script) as server:
        report = await soak(server.base_url, tmp_path, duration_s=1.4, canary_s=0.4)
    assert report["canary"]["loaded"]["k"] == 0
    assert report["canary"]["alone"]["k"] > 0
    assert report["canary"]["alone"]["k"] == report["canary"]["alone"]["n"]


async def test_a_server_of_others_is_sampled_by_its_process(tmp_path: Path) -> None:
    with running(FLAT) as server:
        process = psutil.Process(server.pid)
        async with ScriptedServer(Script(ttft_s=0.02, tokens=3)) as endpoint:
            ending = asyncio.create_task(end_later(server, 1.0))
            report = await soak(endpoint.base_url, tmp_path, process=process, duration_s=2.0)
            await ending
    assert len(report["series"]["memory_bytes"]) > 3
    assert report["series"]["memory_bytes"][-1][0] < 1.5
    assert report["event_counts"]["process_ended"] == 1
    assert report["crashes"]["n"] == 1


async def end_later(server: ProcessAsServer, seconds: float) -> None:
    await asyncio.sleep(seconds)
    server.process.kill()


async def start(*arguments: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "wending", "soak", *arguments, "--sample", "0.1"]
    return await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)


async def wait_for(folder: Path, kind: str, count: int) -> None:
    while not (folder / NAME).exists() or sum(line["kind"] == kind for line in read_log(folder)) < count:
        await asyncio.sleep(0.02)


async def test_a_killed_soak_is_reported_and_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    async with ScriptedServer(Script(ttft_s=0.01, tokens=3)) as endpoint:
        command = [
            sys.executable,
            "-m",
            "wending",
            "soak",
            endpoint.base_url,
            "--hours",
            "0.001",
            "--sample",
            "0.1",
        ]
        process = await asyncio.create_subprocess_exec(
            *command, "--concurrency", "2", "--out", str(out), stderr=asyncio.subprocess.DEVNULL
        )
        await wait_for(out, "sample", 5)
        process.kill()
        assert await process.wait() == -signal.SIGKILL
        with (out / NAME).open("ab") as log:
            log.write(b'{"kind":"sample","at":1')
        assert report_soak(out, "en") == DONE
        report = orjson.loads((out / "soak.json").read_bytes())
        assert not report["complete"]
        assert report["end"] is None
        assert report["requests"] > 0
        assert "still runs or was killed" in (out / "soak.html").read_text("utf-8")

        options = SoakOptions(duration_s=1.0)
        status = await asyncio.to_thread(run_soak, None, options, resume=out, language="en")
        assert status == DONE
        ended = (out / NAME).read_bytes()
        assert await asyncio.to_thread(run_soak, None, options, resume=out, language="en") == DONE
    assert "is complete; there is nothing to go on with" in capsys.readouterr().out
    assert (out / NAME).read_bytes() == ended
    report = orjson.loads((out / "soak.json").read_bytes())
    assert report["complete"]
    assert report["sessions"] == 2
    assert len(report["gaps"]) == 1
    assert report["lines_passed_over"] == 1
    assert report["plan"]["duration_s"] == pytest.approx(3.6)


async def test_ctrl_c_ends_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    async with ScriptedServer(Script(ttft_s=0.01, tokens=3)) as endpoint:
        process = await start(endpoint.base_url, "--hours", "1", "--capacity", "3", "--out", str(out))
        await wait_for(out, "sample", 3)
        # A second one would end the server of the first.
        assert run_soak(None, SoakOptions(1.0), resume=out, language="en") == USAGE
        assert f"a soak is running in {out}" in capsys.readouterr().err
        assert report_soak(out, "en") == DONE
        process.send_signal(signal.SIGINT)
        assert await process.wait() == INTERRUPTED + signal.SIGINT
    report = orjson.loads((out / "soak.json").read_bytes())
    assert report["end"] == "SIGINT"
    assert report["plan"]["concurrency"] == 2


async def test_our_own_server_is_started_again_and_its_end_is_a_crash(tmp_path: Path) -> None:
    plan = SoakPlan(duration_s=600.0, concurrency=2, sample_s=0.2, stall_s=60.0)
    with SoakLog(tmp_path) as log:
        async with OwnServer(None, tmp_path / "server.log") as server:
            await server.wait_until_ready(lambda _: None)
            async with EndpointClient(server.base_url) as client:
                await client.resolve_model()
                canaries = CanarySet(client)
                await canaries.learn()
                log.write("start", head(plan, canaries))
                view = PlainView(Console(quiet=True), "en")
                session = asyncio.create_task(SoakSession(client, server, plan, canaries, log, view).run())
                await wait_for(tmp_path, "sample", 3)
                await server.kill()
                await wait_for(tmp_path, "event", 2)
                samples = sum(line["kind"] == "sample" for line in read_log(tmp_path))
                await wait_for(tmp_path, "sample", samples + 3)
                session.cancel()
                await asyncio.gather(session, return_exceptions=True)
    report = summarize(tmp_path).to_json()
    assert report["crashes"]["n"] == 1
    assert report["crashes"]["visible"]
    ended = next(event for event in report["events"] if event["event"] == "server_ended")
    assert ended["exit_status"] == -signal.SIGKILL
    assert report["event_counts"]["server_restarted"] == 1
    assert report["series"]["kv_usage"]


def test_folders_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_soak(None, SoakOptions(1.0), resume=tmp_path, language="en") == USAGE
    assert report_soak(tmp_path, "en") == USAGE
    (tmp_path / NAME).touch()
    assert run_soak(None, SoakOptions(1.0), out=tmp_path, language="zh") == USAGE
    assert "已有一次浸泡测试" in capsys.readouterr().err


def test_a_full_disk_ends_a_soak_with_a_log_of_whole_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = SoakOptions(20.0, concurrency=1, sample_s=0.05)
    with in_thread(ScriptedServer(Script(tokens=4))) as endpoint, files_of_at_most(5000):
        assert run_soak(endpoint.base_url, options, out=tmp_path, language="en") == BROKEN_OFF
    said = capsys.readouterr().err
    assert f"cannot write to {tmp_path / NAME}: File too large" in said
    assert NAME in said.split(f"What {tmp_path} holds: ")[1]
    assert not (tmp_path / "soak.html").exists()
    lines = (tmp_path / NAME).read_bytes().splitlines()
    assert len(list(read_log(tmp_path))) == len(lines) > 2
    assert report_soak(tmp_path, "en") == DONE
    assert orjson.loads((tmp_path / "soak.json").read_bytes())["requests"] > 0


async def test_events_are_said_in_the_language_of_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script(ttft_s=0.7, tokens=2)
    plan = SoakPlan(1.0, 1, sample_s=0.1, canary_s=60.0, stall_s=0.3)
    async with ScriptedServer(script) as endpoint, EndpointClient(endpoint.base_url, model="m") as client:
        with SoakLog(tmp_path) as log:
            view = PlainView(Console(), "zh")
            await SoakSession(client, None, plan, CanarySet(client), log, view).run()
    said = capsys.readouterr().out
    assert "停顿开始：" in said
    assert "秒没有 token" in said
    assert "stall_begin" not in said


def test_intervals_and_concurrency() -> None:
    assert [canary_interval(hours * 3600) for hours in (24, 6, 0.05)] == [3600, 1800, 30]
    assert [concurrency_of(capacity) for capacity in (1, 8, 10)] == [1, 5, 7]


def test_views_show_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    status = Status(elapsed_s=60, duration_s=120, requests=1234, stalls=2, is_stalled=True)
    plain, live = PlainView(Console(), "en"), LiveView(Console(force_terminal=True), "zh")
    for view in (plain, live):
        view.update(status)
        view.close()
    shown = capsys.readouterr().out
    assert "requests (errors) 1,234 (0)" in shown
    assert "停顿中" in shown


def test_a_soak_that_cannot_begin_leaves_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = SoakOptions(1.0, concurrency=1)
    assert run_soak("http://127.0.0.1:9/v1", options, out=tmp_path, language="en") == BROKEN_OFF
    assert not (tmp_path / NAME).exists()
    assert "cannot be reached" in capsys.readouterr().err
