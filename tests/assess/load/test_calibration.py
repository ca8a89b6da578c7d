"""The generator measures itself."""

from __future__ import annotations

import pytest

from wending.assess.chat_answer import ChatAnswer
from wending.assess.load import calibration
from wending.assess.load.calibration import Calibration, Step, calibrate, timing_errors
from wending.assess.load.generator import GeneratorError, LoadGenerator
from wending.assess.load.record import Failure, RequestRecord


async def test_every_token_of_the_null_server_has_an_error() -> None:
    async with LoadGenerator() as generator:
        found = await calibrate(generator, 1, [8], seconds=1.0)
    [step] = found.steps
    assert (step.streams, step.events) == (8, 160)
    assert step.error_p50_s is not None
    assert step.error_p99_s is not None
    assert 0 < step.error_p50_s <= step.error_p99_s
    assert 0 < step.cpu_share < 1


@pytest.mark.parametrize(("streams", "events"), [([1], 100), ([3], 102), ([60, 80], 160)])
async def test_few_streams_send_as_many_tokens_as_a_99_percent_quantile_needs(
    streams: list[int], events: int
) -> None:
    async with LoadGenerator() as generator:
        found = await calibrate(generator, 1, streams, seconds=0.1)
    step = found.steps[-1]
    assert step.error_p99_s is not None
    assert step.events == events * step.streams // streams[-1]


@pytest.mark.parametrize(
    ("streams_a_process", "tried"), [(64, [1]), (40, [1, 2]), (20, [1, 2, 3]), (1, [1, 2, 3])]
)
async def test_so_many_processes_as_are_needed_and_no_more_than_there_may_be(
    streams_a_process: int, tried: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a generator whose processes each drive so many streams, on a machine that has three to give."""
    asked: list[int] = []

    async def calibrate(
        generator: LoadGenerator, processes: int, streams: list[int], seconds: float
    ) -> Calibration:
        assert len(generator.pids) == processes
        asked.append(processes)
        fits = streams[0] <= streams_a_process * processes
        return Calibration(processes, (step(streams[0], 0.001 if fits else 0.1),))

    monkeypatch.setattr(calibration, "calibrate", calibrate)
    monkeypatch.setattr(calibration, "most_processes", lambda: 3)
    found = await calibration.calibrated(60, 1.0)
    assert asked == tried
    assert found.processes == tried[-1]
    assert found.at_least == (streams_a_process > 1)


def record(text: str, times: list[float], failure: Failure | None = None) -> RequestRecord:
    return RequestRecord(0, 0.0, True, ChatAnswer(0.0, text, times, finish_reason="stop"), failure)


def test_errors_are_arrival_minus_sending() -> None:
    assert timing_errors(record("1.0 2.0 ", [1.25, 2.5])) == [0.25, 0.5]
    with pytest.raises(GeneratorError, match="sent 2 tokens, 1 were noted"):
        timing_errors(record("1.0 2.0 ", [1.25]))
    with pytest.raises(GeneratorError, match="gone"):
        timing_errors(record("", [], Failure("unreachable", "gone", "没了")))


def step(streams: int, error: float) -> Step:
    return Step(streams, 1000, error / 2, error, 0.0, 0.0, 0.5)


def test_what_is_sustained_is_the_largest_step_with_a_small_error() -> None:
    found = Calibration(2, (step(64, 0.001), step(128, 0.004), step(256, 0.02)))
    assert (found.sustained, found.at_least, found.best.streams) == (64, False, 128)
    assert found.to_json()["error_p99_s"] == 0.004
    held = Calibration(1, (step(64, 0.001),))
    assert (held.sustained, held.at_least) == (64, True)
    nothing = Calibration(1, (step(64, 0.1),))
    assert (nothing.sustained, nothing.at_least, nothing.best.streams) == (0, False, 64)
