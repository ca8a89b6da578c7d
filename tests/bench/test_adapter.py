"""The protocol between driver and adapter, with a scripted engine; and this engine's own adapter."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from bench.peers.adapter import prompts_of, shared_length
from bench.peers.engines import HERE
from bench.peers.process import EngineError, EngineProcess
from bench.peers.works import Work

WORK = Work("small", 3, 5, 4)
SCRIPTED = Path(__file__).parent / "scripted_adapter.py"

Start = Callable[..., EngineProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the scripted engine, which fails as it is told to."""
    started = []

    def scripted(*failures: str) -> EngineProcess:
        model = tmp_path / "model.json"
        model.write_text(json.dumps({"fail": failures}))
        started.append(EngineProcess("scripted", [sys.executable, SCRIPTED, model], tmp_path / "log"))
        return started[-1]

    yield scripted
    for process in started:
        process.stop()


def job(repeat: int = 1, **more: Any) -> dict[str, Any]:
    return WORK.job(repeat, vocabulary=1000) | more


def test_an_engine_loads_says_so_and_does_jobs(start: Start, tmp_path: Path) -> None:
    process = start()
    assert process.facts["version"] == "1.2"
    done = process.do(job())
    assert done["output_tokens"] == 12
    assert 0 <= done["first_token_seconds"] <= done["seconds"]
    assert process.do(job())["completions"] == done["completions"]
    assert "may print what it likes" in (tmp_path / "log").read_text()


def test_another_repeat_gives_other_prompts(start: Start) -> None:
    process = start()
    completions = process.do(job(1))["completions"] + process.do(job(2))["completions"]
    assert len({*map(tuple, completions)}) == 6


def test_prompts_of_works_and_repeats_never_begin_alike() -> None:
    """Nothing in a prefix cache is of use to a later job."""
    works = (WORK, Work("longer", 3, 9, 4), Work("shared", 3, 9, 4, shared_tokens=6))
    found = [prompts_of(work.job(repeat, 100_000)) for work in works for repeat in range(2)]
    assert len({prompts[0][0] for prompts in found}) == len(found)
    assert prompts_of(WORK.job(1, 100_000)) == found[1]


def test_prompts_share_what_the_work_says() -> None:
    work = Work("shared", 3, 9, 4, shared_tokens=6)
    prompts = prompts_of(work.job(0, 100_000))
    assert [len(prompt) for prompt in prompts] == [9, 9, 9]
    assert len({tuple(prompt[:6]) for prompt in prompts}) == 1
    assert len({prompt[6] for prompt in prompts}) == 3
    assert prompts_of(work.job(0, 100_000) | {"only": 2}) == prompts[2:]


@pytest.mark.parametrize(
    ("prompts", "length"),
    [
        ([[1, 2, 3, 4], [1, 2, 5, 6], [1, 2, 3, 7]], 2),
        ([[1, 2], [3, 4]], 0),
        ([[1, 2, 3]], 0),
        ([[1, 2, 3], [1, 2, 3]], 2),  # the last token is computed in each
    ],
)
def test_shared_length(prompts: list[list[int]], length: int) -> None:
    assert shared_length(prompts) == length


def test_one_sequence_of_a_batch_alone(start: Start) -> None:
    process = start()
    together = process.do(job())["completions"]
    assert [process.do(job(only=index))["completions"] for index in range(3)] == [[one] for one in together]


def test_missing_tokens_are_an_error(start: Start) -> None:
    process = start("short")
    with pytest.raises(EngineError, match=r"scripted: ValueError: 3 x 4 output tokens .* \[3, 3, 3\]"):
        process.do(job())


@pytest.mark.parametrize(("failure", "message"), [("job", "out of memory"), ("end", "ended with status 3")])
def test_a_failed_job_is_an_error(start: Start, failure: str, message: str) -> None:
    process = start(failure)
    with pytest.raises(EngineError, match=message):
        process.do(job())


def test_a_failed_start_is_an_error(start: Start) -> None:
    with pytest.raises(EngineError, match="no such model"):
        start("load")


def test_a_paused_engine_is_stopped_and_goes_on(start: Start) -> None:
    process = start()
    process.pause()
    observed = psutil.Process(process.facts["process"])
    deadline = time.monotonic() + 5
    while observed.status() != psutil.STATUS_STOPPED and time.monotonic() < deadline:
        time.sleep(0.01)
    assert observed.status() == psutil.STATUS_STOPPED
    process.resume()
    assert process.do(job())["output_tokens"] == 12


def test_a_paused_engine_can_be_ended(start: Start) -> None:
    process = start()
    process.pause()
    process.stop()
    assert not psutil.pid_exists(process.facts["process"])


def test_a_killed_engine_is_an_error(start: Start) -> None:
    process = start()
    psutil.Process(process.facts["process"]).send_signal(signal.SIGKILL)
    with pytest.raises(EngineError):
        process.do(job())
    process.pause()  # nothing to pause any more
    process.resume()


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_this_engine_through_its_adapter(demo_folder: Path, tmp_path: Path, precision: str) -> None:
    """Alone and in a batch it gives the same tokens."""
    adapter = HERE / "wending_adapter.py"
    options = ["--precision", precision, "--context", "64", "--tokens", "256"]
    command = [sys.executable, adapter, demo_folder, *options]
    with EngineProcess("wending", command, tmp_path / "log") as process:
        assert process.facts["precision"] == precision
        assert process.facts["threads"] == 2
        together = process.do(job())
        assert together["output_tokens"] == 12
        assert process.do(job(only=2))["completions"] == together["completions"][2:]
        shared = Work("shared", 3, 40, 4, shared_tokens=36).job(0, vocabulary=1000)
        together = process.do(shared)
        assert process.do(shared | {"only": 1})["completions"] == together["completions"][1:2]
