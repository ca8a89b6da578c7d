from __future__ import annotations

import time
from array import array

from wending.engine.client import CompletionDelta
from wending.engine.in_flight import InFlight
from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency

PARAMS = SamplingParams(n=2, seed=7, logprobs=1)


def request(urgency: Urgency | None = None) -> InFlight:
    return InFlight(3, array("i", [1, 2, 3]), PARAMS, urgency)


def test_a_new_request_is_added_without_progress_and_each_time_under_a_new_key() -> None:
    one = request()
    first, second = one.message(), one.message()
    assert (first.prompt, first.params, first.progress) == (array("i", [1, 2, 3]), PARAMS, [])
    assert first.key != second.key
    assert one.key == second.key


def test_keeps_what_it_delivers_and_adds_it() -> None:
    one = request()
    one.message()
    one.deliver(CompletionDelta(0, "ab", [5, 6], seed=7))
    one.deliver(CompletionDelta(1, "c", [8], finish_reason="stop", seed=7))
    assert one.message().progress == [
        Progress(array("i", [5, 6]), False),
        Progress(array("i", [8]), True),
    ]
    assert (one.num_tokens, one.num_unfinished) == (6, 1)


def test_is_proven_when_each_completion_has_gained_something_since_it_was_added() -> None:
    one = request()
    one.message()
    assert not one.is_proven
    one.deliver(CompletionDelta(0, "", [5]))
    assert not one.is_proven
    one.deliver(CompletionDelta(1, "", [5], finish_reason="stop"))
    assert one.is_proven
    one.message()
    assert not one.is_proven
    one.deliver(CompletionDelta(0, "", [6]))
    assert one.is_proven


async def test_failing_ends_what_is_not_complete() -> None:
    one = request()
    one.deliver(CompletionDelta(1, "c", [8], finish_reason="stop"))
    one.fail("the engine died")
    assert one.stream.complete
    assert (await one.stream.get()) == CompletionDelta(1, "c", [8], finish_reason="stop")
    assert (await one.stream.get()) == CompletionDelta(
        0, "", [], [], "error", "the engine died", "worker_crashed", 7
    )
    assert await one.stream.get() is None


def test_a_deadline_goes_on_while_it_waits() -> None:
    one = request(Urgency(-2, 0.05))
    first = one.message().urgency
    assert first is not None
    assert first.priority == -2
    assert first.deadline_s is not None
    assert 0 < first.deadline_s <= 0.05
    time.sleep(0.06)
    late = one.message().urgency
    assert late == Urgency(-2, 1e-3)
    assert request(Urgency(5)).message().urgency == Urgency(5)
    assert request().message().urgency is None
