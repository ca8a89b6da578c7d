"""The engine's process: `python -m wending.engine.worker CHANNEL RECORD`, both inherited file descriptors.

Obeys what comes through the channel between two steps and reports what each step gained. It may die at any
moment: all that a request needs to go on is kept by the process that started it (`process_client.py`).
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from wending.engine.channel import BlockingChannel, ChannelClosed, command_decoder
from wending.engine.engine import Engine
from wending.engine.errors import InvalidRequest
from wending.engine.flight_record import FlightRecord
from wending.engine.load import LoadedEngine, load_engine
from wending.engine.messages import (
    Abort,
    Add,
    Command,
    Failed,
    Hello,
    Load,
    LoadFailed,
    Loading,
    Planned,
    Ready,
    Refused,
    Step,
    Taken,
)
from wending.engine.preparation import Preparation
from wending.engine.worker_process import FAULTS

_log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # see prctl(2)
OOM_SCORE = 500  # of -1000 to 1000: where memory runs out, this process goes first and the service's stays

PREPARATION_TICK_S = 0.005
"""How long an idle engine waits for a grammar at a time before it looks at its commands."""

LoadEngine = Callable[..., LoadedEngine]
Channel = BlockingChannel[Command]


def run(arguments: Sequence[str], load: LoadEngine = load_engine) -> int:
    """Serve until told to stop, until the other side is gone, or until something fails; the exit status."""
    channel_fd, record_fd = map(int, arguments)
    channel = BlockingChannel(socket.socket(fileno=channel_fd), command_decoder)
    record = FlightRecord(record_fd)
    _die_with_the_service()
    _be_the_first_to_run_out_of_memory()
    _note_signals_from_outside(record)
    try:
        engine = _load(channel, load)
        return 0 if engine is None else _serve(engine, channel, record)
    except ChannelClosed:
        return 0


def _load(channel: Channel, load: LoadEngine) -> Engine | None:
    """The engine that the other side asks for. What goes wrong is reported, and None returned."""
    channel.send(Hello())
    hello, command = _next_two(channel)
    if isinstance(hello, Hello):
        hello.check()
    if not isinstance(command, Load):
        raise TypeError(f"the first commands are Hello and Load, not {hello} and {command}")
    try:
        loaded = load(
            **msgspec.structs.asdict(command),
            progress=lambda done, total: channel.send(Loading(done, total)),
            on_budget=lambda budget: channel.send(Planned(budget)),
        )
    except ChannelClosed:
        raise
    except Exception as error:
        report = LoadFailed.of(error)
        if not report.is_expected:
            _log.critical("the engine could not be loaded", exc_info=True)
        channel.send(report)
        return None
    channel.send(Ready(loaded.info, loaded.budget))
    return loaded.engine


def _next_two(channel: Channel) -> list[Command]:
    commands: list[Command] = []
    while len(commands) < 2:
        commands += channel.receive(wait=True)
    return commands


def _serve(engine: Engine, channel: Channel, record: FlightRecord) -> int:
    """Obey and step until told to stop: status 0, or 1 after a failure of the engine."""
    engine.on_step = record.begin_computing
    preparation = Preparation(lambda: engine.grammars)
    try:
        while True:
            if not engine.has_work:
                engine.check_integrity()
            if preparation.pending and not engine.has_work:
                preparation.wait(PREPARATION_TICK_S)
            for command in channel.receive(wait=not engine.has_work and not preparation.pending):
                if isinstance(command, Add):
                    preparation.add(command)
                elif isinstance(command, Abort):
                    preparation.drop(command.key)
                    engine.abort_request(command.key)
                else:
                    return 0
            for add in preparation.ready():
                _add(engine, channel, add)
            outputs = engine.step()
            record.end_computing()
            channel.send(Step(outputs, engine.stats()))
    except ChannelClosed:
        raise
    except Exception as error:
        _log.critical("the engine has failed", exc_info=True)
        channel.send(Failed(f"{type(error).__name__}: {error}"))
        return 1


def _add(engine: Engine, channel: Channel, command: Add) -> None:
    """What goes wrong in adding a request is that request's own affair."""
    try:
        engine.add_request(
            command.key,
            command.prompt,
            command.params,
            command.urgency,
            command.progress,
            command.waited_s,
        )
        if command.params.constraint is not None:
            channel.send(Taken(command.key))
    except InvalidRequest as error:
        channel.send(Refused.of(command.key, error))
    except Exception as error:
        _log.exception("request %s could not be added", command.key)
        refusal = InvalidRequest("request", f"could not be added: {type(error).__name__}: {error}")
        channel.send(Refused.of(command.key, refusal))


def _die_with_the_service() -> None:
    """Have the kernel kill this process when the thread that started it ends: no engine is left behind, not
    even in the middle of a long step."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _be_the_first_to_run_out_of_memory() -> None:
    with suppress(OSError):  # not everywhere may a process change it
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))


def _note_signals_from_outside(record: FlightRecord) -> None:
    """Tell a deadly signal that some process sends from the fault of the same name, then die of it.

    The signals are blocked, as `worker_process.py` says. One that was sent waits and is fetched here; one by
    a fault is not held up by that and kills at once (signal(7), sigwaitinfo(2)).
    """

    def wait() -> None:
        found = signal.sigwaitinfo(FAULTS)
        record.note_signal(found.si_signo, found.si_pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FAULTS)
        os.kill(os.getpid(), found.si_signo)

    threading.Thread(target=wait, name="wending-signals", daemon=True).start()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
