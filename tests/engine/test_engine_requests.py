"""Requests from their arrival to their end: taken over, given up, late, urgent."""

from __future__ import annotations

import pytest
from tests.engine.fakes import GREEDY, fake_engine
from tests.engine.small_runs import ScriptedModel, run, say, tokens

from wending.engine.errors import InvalidRequest
from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import SECONDS_OF_A_PRIORITY, Urgency


def test_an_aborted_request_frees_its_blocks_and_says_nothing_more() -> None:
    engine = fake_engine()
    engine.add_request("stays", [1, 2, 3], GREEDY)
    engine.add_request("goes", [1] * 20, SamplingParams(n=3))
    engine.step()
    used = engine.stats().kv_blocks_used
    engine.abort_request("goes")
    assert engine.stats().kv_blocks_used < used
    assert set(run(engine)) == {("stays", 0)}
    engine.abort_request("goes")
    engine.abort_request("stays")


def test_a_request_id_is_unique_while_in_flight() -> None:
    engine = fake_engine()
    engine.add_request("r", [1], GREEDY)
    with pytest.raises(InvalidRequest, match="'r' is in use"):
        engine.add_request("r", [1], GREEDY)
    run(engine)
    engine.add_request("r", [1], GREEDY)


def test_a_refused_request_leaves_no_trace() -> None:
    engine = fake_engine()
    with pytest.raises(InvalidRequest):
        engine.add_request("r", [1] * 64, GREEDY)
    assert not engine.has_work
    engine.check_integrity()


def test_goes_on_behind_what_an_engine_before_had_said() -> None:
    params = SamplingParams(n=2, seed=3, max_tokens=9, ignore_eos=True, logprobs=1, stop=("zz",))
    whole_engine = fake_engine()
    whole_engine.add_request("r", [5, 6], params)
    whole = run(whole_engine)
    for cut in range(9):
        said = [tokens(whole["r", index])[: cut + index] for index in range(2)]
        engine = fake_engine()
        progress = [Progress(ids, finished=len(ids) == 9) for ids in said]
        engine.add_request("r", [5, 6], params, progress=progress)
        rest = run(engine)
        for index in range(2):
            assert rest["r", index] == whole["r", index][len(said[index]) :]


def test_half_a_character_and_a_held_back_stop_survive_the_engine() -> None:
    params = SamplingParams(temperature=0, max_tokens=7, seed=1, stop=("稳x",))
    script = [*"稳👍".encode()]
    for cut in range(1, 7):
        engine = fake_engine(model=ScriptedModel(script[cut:]))
        engine.add_request("r", [1, 2, 3], params, progress=[Progress(script[:cut])])
        assert say(script, params)[cut:] == run(engine)["r", 0]


def test_a_request_whose_completions_are_all_finished_is_done() -> None:
    engine = fake_engine()
    engine.add_request("r", [1], SamplingParams(max_tokens=1), progress=[Progress([5], finished=True)])
    assert not engine.has_work
    engine.check_integrity()


def test_progress_of_another_number_of_completions_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="progress: is of 1 completions; there are 2"):
        fake_engine().add_request("r", [1], SamplingParams(n=2), progress=[Progress()])


def test_what_is_not_complete_at_its_deadline_ends_with_an_error() -> None:
    now = [0.0]
    engine = fake_engine(clock=lambda: now[0])
    params = SamplingParams(max_tokens=30, ignore_eos=True)
    engine.add_request("late", [1, 2], params, Urgency(deadline_s=5))
    engine.add_request("free", [1, 2], params)
    engine.step()
    now[0] = 5.0
    deltas = run(engine)
    last = deltas["late", 0][-1]
    assert (last.finish_reason, last.error_code) == ("error", "deadline_exceeded")
    assert last.error == "the deadline has passed, after 1 generated tokens"
    assert len(tokens(deltas["free", 0])) == 29


def test_a_deadline_that_is_kept_does_nothing() -> None:
    engine = fake_engine()
    engine.add_request("r", [1, 2], SamplingParams(max_tokens=3, ignore_eos=True), Urgency(deadline_s=60))
    assert run(engine)["r", 0][-1].finish_reason == "length"


def test_priorities_decide_who_waits() -> None:
    engine = fake_engine(max_running=1, clock=lambda: 0.0)
    params = SamplingParams(max_tokens=2, ignore_eos=True)
    for name, priority in (("usual", 0), ("later", 1), ("first", -1)):
        engine.add_request(name, [1, 2], params, Urgency(priority))
    ended = []
    while engine.has_work:
        ended += [name for name, delta in engine.step() if delta.finish_reason is not None]
    assert ended == ["first", "usual", "later"]


def test_how_long_a_request_has_waited_elsewhere_counts() -> None:
    engine = fake_engine(max_running=1, clock=lambda: 100.0)
    params = SamplingParams(max_tokens=1)
    engine.add_request("new", [1, 2], params)
    engine.add_request("old", [1, 2], params, waited_s=5.0)
    assert [name for name, _ in engine.step()] == ["old"]


def test_nobody_starves_while_more_urgent_requests_keep_coming() -> None:
    now = [0.0]
    engine = fake_engine(max_running=1, clock=lambda: now[0])
    params = SamplingParams(max_tokens=2, ignore_eos=True)
    engine.add_request("patient", [1, 2], params, Urgency(priority=3))
    for number in range(1000):
        now[0] += 1.0
        engine.add_request(str(number), [1, 2], params)
        if any(name == "patient" for name, _ in engine.step()):
            break
    assert number < 3 * SECONDS_OF_A_PRIORITY + 100
    run(engine)
