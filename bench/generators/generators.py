"""The load generators that are compared, and how each is run."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.generators import guidellm, own, vllm_bench
from bench.generators.processor import watched
from bench.generators.timed import Job, JobError, Outcome, TimedRequest

TOKENIZER = Path(__file__).parents[2] / "src/wending/demo"
"""Both others want one, to count the tokens of prompts: that of the bundled model."""
LONGEST_S = 90.0
MOST_CLOCK_CHANGE_S = 0.0005


@dataclass(frozen=True, slots=True)
class Peer:
    """A generator that is started as a program, in an environment of its own."""

    arguments: Callable[[Job, Path, Path], list[str]]
    """What Python is given for a job; files may be written into the folder."""
    read: Callable[[Path, float], tuple[list[TimedRequest], dict[str, float]]]
    """The requests and the reported figures from what it left in the folder."""


PEERS = {
    "guidellm": Peer(guidellm.arguments, guidellm.read),
    "vllm": Peer(vllm_bench.arguments, vllm_bench.read),
}
TITLES = {"wending": "wending", "guidellm": "guidellm", "vllm": "vllm bench serve"}


def python_of(name: str, root: Path) -> Path:
    return root / "environments" / name / "bin/python"


def left_out(name: str, root: Path | None) -> str | None:
    """Why a generator cannot be run; None if it can."""
    if name not in PEERS:
        return None
    if root is None:
        return "no folder with environments was given"
    return None if python_of(name, root).exists() else f"it is not set up in {root}"


async def run(name: str, job: Job, root: Path | None) -> Outcome:
    """One job by one generator. Raises JobError."""
    if name not in PEERS:
        return await own.run(job)
    if (reason := left_out(name, root)) is not None or root is None:
        raise JobError(reason or "")
    with tempfile.TemporaryDirectory() as folder:
        return await _run_peer(name, job, root, Path(folder))


async def _run_peer(name: str, job: Job, root: Path, folder: Path) -> Outcome:
    peer, log = PEERS[name], folder / "log"
    # Nothing is looked for on a network, nor through a proxy.
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "XDG_CACHE_HOME": str(root / "cache"),
        "NO_PROXY": "*",
    }
    before = _clock_offset()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            python_of(name, root), *peer.arguments(job, folder, TOKENIZER),
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
        try:
            async with watched([process.pid], job.server_pid) as processor, asyncio.timeout(LONGEST_S):
                status = await process.wait()
        except TimeoutError:
            raise JobError(f"it was not done after {LONGEST_S:.0f} s") from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, 9)
                await process.wait()
    offset = _clock_offset()
    if abs(offset - before) > MOST_CLOCK_CHANGE_S:
        raise JobError("the clock of the calendar was set meanwhile")
    if status or not (folder / "result.json").exists():
        lines = log.read_text(errors="replace").strip().splitlines()
        raise JobError(f"it ended with status {status}: {' / '.join(lines[-3:])}")
    requests, reported = peer.read(folder, (before + offset) / 2)
    if len(requests) != len(job.prompts):
        raise JobError(f"{len(requests)} requests of {len(job.prompts)} were made")
    return Outcome(requests, processor, reported)


def _clock_offset() -> float:
    """Seconds that the clock of the calendar is before the monotonic one."""
    return min((time.time() - time.monotonic() for _ in range(20)), default=0.0)
