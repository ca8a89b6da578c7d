"""What the meter makes of a load, with a generator that sends nothing; and capacities that are planted."""

from __future__ import annotations

from random import Random

import pytest
from tests.assess.load.simulated import Respond, SimulatedGenerator

from wending.assess.endpoint_errors import EndpointError
from wending.assess.load.level import Alone, Level
from wending.assess.load.meter import LevelMeter, LevelPlan
from wending.assess.load.objective import Objective
from wending.assess.load.record import Failure
from wending.assess.load.search import Capacity, find_capacity

REFUSED = Failure("too_many_requests", "HTTP 429", "HTTP 429", 429)
GONE = Failure("unreachable", "gone", "没了")


def meter(
    respond: Respond,
    objective: Objective | None = None,
    *,
    lag_s: float = 0.0,
    valid: bool = True,
    generator: SimulatedGenerator | None = None,
) -> LevelMeter:
    asked = 0

    def bodies(count: int) -> tuple[int, list[bytes]]:
        nonlocal asked
        first, asked = asked, asked + count
        return first, [b"{}"] * count

    return LevelMeter(
        generator or SimulatedGenerator(respond, lag_s), "http://127.0.0.1:1/v1", {}, bodies,
        lambda number, record: valid, objective or Objective(),
    )  # fmt: skip


async def measure(found: LevelMeter, concurrency: int = 8, *, steady: bool = True) -> Level:
    level = await found.measure(LevelPlan(concurrency, steady, 0.3, 0.3), 60.0, Alone(20, 20))
    assert level is not None
    return level


async def capacity(respond: Respond, objective: Objective | None = None) -> Capacity:
    found = meter(respond, objective)

    async def one(concurrency: int, confirming: bool) -> Level | None:
        return await measure(found, concurrency)

    return await find_capacity(await measure(found, 1), one)


def shared_out(streams: int) -> Respond:
    """So many streams get 50 tokens a second each, more of them share what those would have."""
    return lambda in_flight, now: (0.1, 50.0 * min(1.0, streams / in_flight))


@pytest.mark.parametrize("streams", [1, 2, 5, 10, 19])
async def test_a_service_that_slows_down_holds_as_many_as_keep_their_speed(streams: int) -> None:
    found = await capacity(shared_out(streams), Objective(min_tokens_per_s=20.0))
    assert found.max_concurrency == pytest.approx(2.5 * streams, rel=0.1, abs=1)
    assert found.confirmations_made == 3
    assert {missed for level in found.levels for missed in level.missed} == {"speed"}


async def test_a_full_queue_shows_in_the_first_token() -> None:
    found = await capacity(lambda in_flight, now: (0.1 if in_flight <= 12 else 2.5, 50.0))
    assert (found.max_concurrency, found.failed_at) == (12, 13)
    assert {missed for level in found.levels for missed in level.missed} == {"ttft"}


async def test_refusals_are_errors_and_not_the_end() -> None:
    found = await capacity(lambda in_flight, now: (0.1, 50.0) if in_flight <= 12 else REFUSED)
    assert (found.max_concurrency, found.failed_at) == (12, 13)
    assert {missed for level in found.levels for missed in level.missed} == {"errors"}
    assert (await measure(meter(lambda in_flight, now: REFUSED))).missed == ("errors",)


async def test_an_endpoint_that_only_fails_is_dead() -> None:
    with pytest.raises(EndpointError, match="gone"):
        await measure(meter(lambda in_flight, now: GONE))


async def test_a_level_that_holds_is_measured_in_full_and_steady() -> None:
    level = await measure(meter(shared_out(8)))
    assert (level.held, level.requests, level.valid, level.steady, level.decided_early) == (
        True, 24, 24, True, False,
    )  # fmt: skip
    assert level.ttft_s == pytest.approx(0.1)
    assert level.tokens_per_s == pytest.approx(50.0)
    assert level.total_tokens_per_s == pytest.approx(8 * 11 / 0.3, rel=0.05)


async def test_a_level_is_over_as_soon_as_it_has_failed() -> None:
    level = await measure(meter(lambda in_flight, now: (0.1, 5.0)))
    assert (level.held, level.missed, level.decided_early) == (False, ("speed",), True)
    assert level.requests < 24
    one_fails = meter(lambda in_flight, now: GONE if 0.5 < now < 0.6 else (0.1, 50.0))
    level = await measure(one_fails)
    assert (level.missed, level.decided_early) == (("errors",), True)


async def test_times_that_still_change_are_not_steady() -> None:
    """The first token comes sooner and sooner while it is measured, apart from some noise."""
    noise = Random(1)
    level = await measure(meter(lambda in_flight, now: (1.0 - 0.2 * now + noise.uniform(0, 0.1), 50.0)))
    assert (level.held, level.steady) == (True, False)
    assert level.unsteady == "the time to the first token fell"


def warming_up(requests: int) -> Respond:
    """The first tokens of its first requests come sooner and sooner, however many levels that takes."""
    noise, asked = Random(1), 0

    def respond(in_flight: int, now: float) -> tuple[float, float]:
        nonlocal asked
        asked += 1
        cold = max(0.0, 1 - asked / requests)
        return 0.1 + 0.9 * cold + noise.uniform(0, 0.05), 50.0

    return respond


async def measure_steady(found: LevelMeter, plan: LevelPlan, spare_s: float = 60.0) -> Level:
    level = await found.measure_steady(plan, 60.0, spare_s, Alone(20, 20))
    assert level is not None
    return level


async def test_a_level_that_was_not_steady_is_measured_again_and_longer() -> None:
    plan = LevelPlan(8, True, 0.3, 0.3)
    level = await measure_steady(meter(warming_up(40)), plan)
    assert (level.requests, level.steady, level.measured_again) == (
        2 * plan.requests, True, "the time to the first token fell",
    )  # fmt: skip
    without_time = await measure_steady(meter(warming_up(40)), plan, spare_s=0.5)
    assert (without_time.requests, without_time.steady, without_time.measured_again) == (
        plan.requests, False, "",
    )  # fmt: skip
    still = await measure_steady(meter(warming_up(200)), plan)
    assert (still.steady, still.measured_again) == (False, "the time to the first token fell")


async def test_only_a_level_that_could_have_been_steady_is_measured_again() -> None:
    plan = LevelPlan(8, True, 0.3, 0.3)
    for respond in (shared_out(8), lambda in_flight, now: (0.1, 5.0)):
        generator = SimulatedGenerator(respond)
        await measure_steady(meter(respond, generator=generator), plan)
        assert len(generator.plans) == 1
    brief = await measure_steady(meter(shared_out(8)), LevelPlan(8, False, 0.3, 0.3))
    assert (brief.steady, brief.unsteady) == (False, "measured briefly, for want of time")


async def test_what_the_generator_could_not_drive_is_invalid() -> None:
    level = await measure(meter(shared_out(8), lag_s=0.2))
    assert not level.held
    assert "200 ms late" in level.invalid


def test_a_level_has_enough_requests_and_takes_its_time() -> None:
    steady = LevelPlan(8, True, least_s=1.0, answer_s=2.0)
    assert (steady.counted, steady.requests) == (3, 24)
    assert steady.expected_s == 1.0 + 5 * 2.0
    assert steady.schedule.starts[-1] < 1.0
    quick = LevelPlan(8, False, least_s=1.0, answer_s=2.0)
    assert (quick.requests, quick.expected_s, quick.bodies) == (8, 2.25, 8)
    assert LevelPlan(3, False, 1.0, 1.0).requests == 6
    assert LevelPlan(64, True, 1.0, 1.0).requests == 64


def test_streams_begin_over_no_more_than_the_time_of_an_answer_among_so_many() -> None:
    """From the last level that was measured: 16 streams that queue for 8 places take twice the time."""
    more = LevelPlan.after((16, 2.0), 32, alone_s=1.0)
    assert (more.ramp_s, more.answer_s) == (2.0, 3.0)
    fewer = LevelPlan.after((16, 2.0), 12, alone_s=1.0)
    assert (fewer.ramp_s, fewer.answer_s) == (1.5, 2.0)
    assert LevelPlan.after((16, 2.0), 4, alone_s=1.0).ramp_s == 1.0
