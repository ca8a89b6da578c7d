"""Capacities that are planted are found, each within ten percent."""

from __future__ import annotations

import pytest

from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError
from wending.assess.load.meter import LevelPlan
from wending.assess.load.objective import Objective
from wending.assess.performance import PerformanceMeasurement, RequestTypePerformance
from wending.assess.scripted import Script, ScriptedProcess
from wending.assess.scripted.script import Answer, Capacity, Failures, UnderLoad

EMPLOYEE = '{"id": 1, "name": "Ada", "department": "Sales", "salary": 9000, "join_date": "2021-03-04"}'
EMPLOYEES = tuple(
    Answer(f"array of {count} employees", ("[" + ",".join([EMPLOYEE] * count) + "]",)) for count in (5, 6, 7)
)


async def measured(script: Script, objective: Objective, seconds: float) -> dict[str, RequestTypePerformance]:
    async with ScriptedProcess(script) as process, EndpointClient(process.base_url) as client:
        await client.resolve_model()
        measurement = PerformanceMeasurement(
            client, seconds=seconds, seed=1, temperature=0.7, top_p=0.9, objective=objective,
            progress=lambda kind, step, number, share: None,
        )  # fmt: skip
        await measurement.run()
    assert measurement.calibration is not None
    return {result.request_type: result for result in measurement.results}


async def test_a_service_that_slows_down_holds_as_many_as_keep_their_speed() -> None:
    """Ten streams get 50 tokens a second each, n more get 500 / n: 20 a second are kept by 25 streams."""
    script = Script(ttft_s=0.02, token_s=0.02, tokens=12, capacity=Capacity(10, "slow"))
    found = await measured(script, Objective(max_ttft_s=5.0, min_tokens_per_s=20.0), 60.0)
    for result in found.values():
        assert result.capacity is not None
        assert result.capacity.max_concurrency == pytest.approx(25, rel=0.1)
        assert result.capacity.confirmations_made == 3
        assert {missed for level in result.capacity.levels for missed in level.missed} == {"speed"}


async def test_a_queue_shows_in_the_first_token() -> None:
    """Six run at once; a seventh waits for one to end. An answer takes 0.5 s, and the wait may take 0.1 s."""
    script = Script(ttft_s=0.02, token_s=0.04, tokens=13, capacity=Capacity(6, "queue"))
    found = await measured(script, Objective(max_ttft_s=0.25, min_tokens_per_s=1.0), 60.0)
    for result in found.values():
        assert result.capacity is not None
        assert 6 <= result.capacity.max_concurrency <= 9
        assert {missed for level in result.capacity.levels for missed in level.missed} == {"ttft"}


async def test_answers_that_get_worse_under_load_limit_the_capacity() -> None:
    """Beyond four streams every array loses a bracket or a digit; its JSON then does not count as valid."""
    script = Script(token_s=0.002, answers=EMPLOYEES, under_load=UnderLoad(4, 1.0))
    found = await measured(script, Objective(), 10.0)
    assert found["json"].capacity is not None
    assert found["json"].single_stream.requests >= 20


async def test_an_endpoint_whose_requests_all_fail_is_no_matter_of_capacity() -> None:
    with pytest.raises(EndpointError, match="a planted error"):
        await measured(Script(failures=Failures(http_error=1)), Objective(), 2.0)


def test_a_level_has_enough_requests_and_takes_its_time() -> None:
    steady = LevelPlan(8, True, alone_s=1.0, answer_s=2.0)
    assert (steady.counted, steady.requests) == (3, 24)
    assert steady.expected_s == 1.0 + 5 * 2.0
    assert steady.schedule.starts[-1] < 1.0
    quick = LevelPlan(8, False, alone_s=1.0, answer_s=2.0)
    assert (quick.requests, quick.expected_s, quick.bodies) == (8, 2.25, 8)
    assert LevelPlan(3, False, 1.0, 1.0).requests == 6
    assert LevelPlan(64, True, 1.0, 1.0).requests == 64
