"""The loop of the engine's process, in a thread and over fakes. Real processes: test_process_client.py."""

from __future__ import annotations

import socket
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.fakes import GREEDY, FakeModel, fake_engine
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine.budget import MemoryBudget
from wending.engine.channel import BlockingChannel, ChannelClosed, command_decoder, report_decoder
from wending.engine.client import CompletionDelta
from wending.engine.errors import EngineDead
from wending.engine.flight_record import FlightRecord
from wending.engine.load import load_engine
from wending.engine.messages import (
    Abort,
    Failed,
    Hello,
    LoadFailed,
    Loading,
    Planned,
    Ready,
    Refused,
    Report,
    Step,
    Stop,
    add_message,
    load_message,
)
from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams
from wending.engine.worker import _load, _serve

PROMPT = array("i", [1, 2, 3])
ENDLESS = SamplingParams(temperature=0, ignore_eos=True, seed=0)

Ours = BlockingChannel[Report]


class Serving:
    """A fake engine behind the loop, which ends with `status`."""

    def __init__(self, model: FakeModel) -> None:
        ours, self.theirs = socket.socketpair()
        self.socket = ours
        self.channel: Ours = BlockingChannel(ours, report_decoder)
        self.record = FlightRecord.create()
        self.status: int | None = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=[model])
        self.thread.start()

    def _run(self, model: FakeModel) -> None:
        engine = fake_engine(model=model, num_blocks=1000, max_context=4000)
        try:
            self.status = _serve(engine, BlockingChannel(self.theirs, command_decoder), self.record)
        except ChannelClosed as error:
            self.error = error

    def next(self) -> list[Report]:
        return self.channel.receive(wait=True)

    def deltas(self, key: str) -> list[CompletionDelta]:
        """Those of a request until it is complete."""
        found: list[CompletionDelta] = []
        while not found or found[-1].finish_reason is None:
            for report in self.next():
                assert isinstance(report, Step)
                found += [delta for name, delta in report.outputs if name == key]
        return found

    def end(self) -> None:
        self.socket.close()
        self.thread.join()


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def serving(model: FakeModel) -> Iterator[Serving]:
    serving = Serving(model)
    yield serving
    serving.end()


def test_reports_what_each_step_gains(serving: Serving) -> None:
    engine = fake_engine()
    engine.add_request("1", PROMPT, GREEDY)
    expected = []
    while engine.has_work:
        expected += [delta for _, delta in engine.step()]
    serving.channel.send(add_message("1", PROMPT, GREEDY))
    assert serving.deltas("1") == expected


def test_goes_on_from_what_was_reached(serving: Serving) -> None:
    serving.channel.send(add_message("1", PROMPT, GREEDY))
    whole = serving.deltas("1")
    reached = [Progress([delta.token_ids[0] for delta in whole[:3]])]
    serving.channel.send(add_message("2", PROMPT, GREEDY, progress=reached))
    assert serving.deltas("2") == whole[3:]


def test_an_abort_is_answered_by_what_the_engine_then_holds(serving: Serving) -> None:
    serving.channel.send(add_message("1", PROMPT, ENDLESS))
    serving.next()
    serving.channel.send(Abort("1"))
    while True:
        newest = serving.next()[-1]
        assert isinstance(newest, Step)
        if newest.stats.running == 0:
            break
    assert newest.stats.kv_blocks_used == 0


def test_stops_when_told_to(serving: Serving) -> None:
    serving.channel.send(add_message("1", PROMPT, ENDLESS))
    serving.channel.send(Stop())
    serving.thread.join()
    assert serving.status == 0


def test_ends_when_the_other_side_is_gone(serving: Serving) -> None:
    serving.channel.send(add_message("1", PROMPT, ENDLESS))
    serving.next()
    serving.end()
    assert isinstance(serving.error, ChannelClosed)


def test_refuses_a_request_and_serves_the_others(serving: Serving) -> None:
    serving.channel.send(add_message("1", array("i"), GREEDY))
    assert serving.next()[0] == Refused("1", "prompt", "must not be empty")
    serving.channel.send(add_message("3", PROMPT, GREEDY))
    assert serving.deltas("3")


def test_says_what_it_failed_of_and_leaves_what_it_computed(serving: Serving, model: FakeModel) -> None:
    model.failure = MemoryError("no room")
    serving.channel.send(add_message("1", PROMPT, GREEDY))
    assert serving.next() == [Failed("MemoryError: no room")]
    serving.thread.join()
    assert serving.status == 1
    assert serving.record.computing() == ["1"]


def test_at_rest_nothing_is_being_computed(serving: Serving) -> None:
    serving.channel.send(add_message("1", PROMPT, GREEDY))
    serving.deltas("1")
    assert serving.record.computing() == []


def test_loads_what_it_is_told_and_says_how_far_it_is(tmp_path: Path) -> None:
    folder = write_random_checkpoint(tmp_path / "model", small_config())
    reports, engine = loading(Hello(), load_message(folder, quant="int8"))
    assert engine is not None
    hello, planned, *progress, ready = reports
    assert hello == Hello()
    assert isinstance(planned, Planned)
    assert isinstance(planned.budget, MemoryBudget)
    assert all(isinstance(report, Loading) for report in progress)
    assert isinstance(ready, Ready)
    assert ready.budget == planned.budget
    assert ready.info.precision == "int8"


def test_says_why_it_could_not_load(tmp_path: Path) -> None:
    reports, engine = loading(Hello(), load_message(tmp_path))
    assert engine is None
    [failed] = [report for report in reports if isinstance(report, LoadFailed)]
    assert (failed.kind, failed.is_expected) == ("CheckpointError", True)


def test_a_defect_in_loading_is_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken(**options: Any) -> Any:
        raise KeyError("name")

    reports, _ = loading(Hello(), load_message(tmp_path), load=broken)
    assert reports[-1] == LoadFailed("KeyError", "'name'")
    assert "Traceback" in caplog.text


def test_refuses_another_version(tmp_path: Path) -> None:
    with pytest.raises(EngineDead, match="version 99"):
        loading(Hello(99), load_message(tmp_path))


def test_refuses_to_begin_with_anything_else() -> None:
    with pytest.raises(TypeError, match="Hello and Load"):
        loading(Hello(), Stop())


def loading(*commands: Any, load: Any = load_engine) -> tuple[list[Report], Any]:
    """What is reported on the commands, and the engine."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel: Ours = BlockingChannel(ours, report_decoder)
        for command in commands:
            channel.send(command)
        engine = _load(BlockingChannel(theirs, command_decoder), load)
        return channel.receive(wait=True), engine
