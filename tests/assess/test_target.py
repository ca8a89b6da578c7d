"""Own servers: started, waited for, measured, and always stopped."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.assess.conductor import BROKEN_OFF, DONE
from wending.assess.main import run_assessment
from wending.assess.resources import MAX_SAMPLES, ResourceSampler
from wending.assess.target import OwnServer, TargetError, parse_target


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete folder with random weights: its answers are noise, and that is enough here."""
    folder = tmp_path_factory.mktemp("checkpoint")
    write_random_checkpoint(folder, small_config(max_position_embeddings=2048))
    return folder


def servers() -> list[psutil.Process]:
    """The servers that run as children of this process."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "serve" in " ".join(child.cmdline()) and child.is_running()]


def assess(checkpoint: Path, out: Path, **options: Any) -> int:
    settings: dict[str, Any] = {
        "scenarios": ["math_reasoning"],
        "repeats": 1,
        "performance_seconds": 0,
        **options,
    }
    return run_assessment(str(checkpoint), out=out, language="en", **settings)


def test_targets_are_told_apart(tmp_path: Path) -> None:
    assert parse_target(None).kind == "bundled"
    assert parse_target(str(tmp_path)).folder == tmp_path
    assert parse_target("https://host:1/v1/").base_url == "https://host:1/v1"
    with pytest.raises(TargetError, match="neither"):
        parse_target(str(tmp_path / "absent"))


def test_a_checkpoint_is_served_measured_and_its_server_stopped(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENDING_API_KEYS", "sk-of-another-server")
    assert assess(checkpoint, tmp_path / "out") == DONE
    assert servers() == []
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["target"]["kind"] == "checkpoint"
    assert report["target"]["model"] == checkpoint.name
    assert report["pass_rate"]["n"] == report["scenarios"][0]["planned_runs"]
    assert report["resources"]["reason"] is None
    assert report["resources"]["peak_memory_bytes"] > 10 << 20
    assert report["resources"]["cpu_seconds"] > 0
    assert "Serving" in (tmp_path / "out" / "server.log").read_text("utf-8")


async def test_a_server_killed_half_way_is_named_as_the_reason(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    async def kill_after_some_runs() -> None:
        while not (out / "runs.jsonl").exists() or (out / "runs.jsonl").read_bytes().count(b"\n") < 3:
            await asyncio.sleep(0.02)
        for server in servers():
            server.kill()

    killer = asyncio.create_task(kill_after_some_runs())
    status = await asyncio.to_thread(assess, checkpoint, out, repeats=20)
    await killer
    assert status == BROKEN_OFF
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert "the server died: killed by signal 9" in report["incomplete_reason"]
    assert report["pass_rate"]["n"] >= 3


async def test_a_server_that_is_never_ready_is_stopped(checkpoint: Path, tmp_path: Path) -> None:
    async def use() -> None:
        async with OwnServer(checkpoint, tmp_path / "log", start_timeout=0.0) as server:
            await server.wait_until_ready(lambda seconds: None)

    with pytest.raises(TargetError, match="not ready after"):
        await use()
    assert servers() == []


async def test_cancelling_stops_the_server(checkpoint: Path, tmp_path: Path) -> None:
    started = asyncio.Event()

    async def use() -> None:
        async with OwnServer(checkpoint, tmp_path / "log") as server:
            started.set()
            await server.wait_until_ready(lambda seconds: None)
            await asyncio.sleep(3600)

    task = asyncio.create_task(use())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert servers() == []


async def test_the_sampler_sees_memory_and_time_of_children_too() -> None:
    script = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'b = bytearray(80 << 20); input()'])"
    )
    parent = await asyncio.create_subprocess_exec("python3", "-c", script, stdin=asyncio.subprocess.PIPE)
    sampler = ResourceSampler(psutil.Process(parent.pid))
    sampler.start()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        if sum(child.memory_info().rss for child in psutil.Process(parent.pid).children()) > 80 << 20:
            break
    resources = await sampler.stop()
    for process in [*psutil.Process(parent.pid).children(), psutil.Process(parent.pid)]:
        process.kill()
    await parent.wait()
    assert resources.peak_memory_bytes is not None
    assert resources.peak_memory_bytes > 80 << 20
    assert resources.cpu_seconds is not None
    assert resources.wall_seconds is not None
    assert 1 <= len(resources.samples) <= MAX_SAMPLES
