"""Workers that misbehave at their start; how they live and die otherwise: test_process_client.py."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine import supervisor
from wending.engine.death import Death
from wending.engine.errors import EngineDead
from wending.engine.messages import PROTOCOL_VERSION, Refused, Step, load_message
from wending.engine.supervisor import Supervisor, Users

# A worker that says what it is told to say, and then nothing until the channel closes.
PROGRAM = """
import socket, sys
from wending.engine.channel import framed
from wending.engine.messages import *
channel = socket.socket(fileno=int(sys.argv[1]))
for message in [{messages}]:
    channel.sendall(framed(message))
while channel.recv(1 << 16):
    pass
"""


def saying(messages: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM.format(messages=messages)]


class Watching(Users):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.end = asyncio.Event()

    def receive(self, report: Step | Refused) -> None:
        pass

    def expects_more(self) -> bool:
        return False

    def up(self) -> None:
        self.told.append("up")

    def down(self, death: Death) -> None:
        self.told.append(death.cause)

    def dead(self, reason: str) -> None:
        self.told.append(f"dead: {reason}")
        self.end.set()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoints") / "model", small_config())


async def told_after_a_kill(folder: Path, next_command: list[str]) -> list[str]:
    """All that is said after a kill if the next workers are started by this command."""
    watching = Watching()
    supervised = Supervisor(load_message(folder), folder)
    await asyncio.to_thread(supervised.load)
    await supervised.start(watching)
    supervised._command = next_command
    os.kill(supervised.worker.pid, signal.SIGKILL)
    await watching.end.wait()
    await supervised.close()
    return watching.told


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACK_OFF_S", (0.0,))


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ("Hello(99)", f"version 99 of their protocol and the service's process version {PROTOCOL_VERSION}"),
        ("Hello(), LoadFailed('NotEnoughMemory', 'not enough memory: 1 of 2 GiB')", "memory: 1 of 2 GiB"),
        ("Hello(), Failed('KeyError: why')", "KeyError: why"),
    ],
)
async def test_a_restart_that_fails_is_tried_again_and_then_given_up(
    folder: Path, messages: str, said: str
) -> None:
    told = await told_after_a_kill(folder, saying(messages))
    assert told[0] == "killed by SIGKILL"
    assert len(told) == 2 + supervisor.FAILED_STARTS
    for each in told[1:]:
        assert said in each
    assert told[-1].startswith("dead: 3 restarts in a row have failed, the last one: ")


async def test_a_command_that_cannot_be_started(folder: Path) -> None:
    told = await told_after_a_kill(folder, ["/nowhere"])
    assert "no process could be started" in told[-1]


async def test_a_silent_worker_is_killed_in_loading_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Watching()
    supervised = Supervisor(load_message(folder), folder, hang_s=0.3)
    await asyncio.to_thread(supervised.load)
    await supervised.start(watching)
    monkeypatch.setattr(supervisor, "LOADING_HANG_S", 0.3)
    supervised._command = saying("Hello()")
    os.kill(supervised.worker.pid, signal.SIGKILL)
    await watching.end.wait()
    await supervised.close()
    assert "it said nothing for 0.3 s of loading" in watching.told[-1]


async def test_another_instruction_set_would_answer_other_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Watching()
    supervised = Supervisor(load_message(folder), folder)
    await asyncio.to_thread(supervised.load)
    await supervised.start(watching)
    before = supervised.info.instruction_set
    monkeypatch.setenv("WENDING_INSTRUCTION_SET", "portable")
    os.kill(supervised.worker.pid, signal.SIGKILL)
    await watching.end.wait()
    await supervised.close()
    assert f"instruction_set portable, the first had {before}" in watching.told[-1]


def test_the_first_start_fails_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineDead, match="version 99"):
        Supervisor(load_message(folder), folder, command=saying("Hello(99)")).load()
    monkeypatch.setattr(supervisor, "LOADING_HANG_S", 0.2)
    with pytest.raises(EngineDead, match=r"said nothing for 0\.2 s of loading"):
        Supervisor(load_message(folder), folder, command=saying("")).load()
