"""What is planted is found, by few and small assessments (bench/simulated_assessments.py makes hundreds)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from bench.simulation import agreement, drift_power, failures, faults, latency, soak_logs
from bench.simulation.assessing import assess
from bench.simulation.capacity import Plant as CapacityPlant
from bench.simulation.capacity import Searched, queue, refuse, slow
from bench.simulation.observation import Coverage, Observation, coverages
from bench.simulation.right_answers import known, known_scenarios
from bench.simulation.side_by_side import side_by_side

from wending.assess.checks import run_passes
from wending.assess.load import LoadGenerator
from wending.assess.load.search import Capacity as Found
from wending.assess.scenarios import judge
from wending.assess.scripted import Script
from wending.assess.scripted.script import Failures
from wending.assess.scripted.times import Lognormal


@pytest.fixture(autouse=True)
def _silence_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulations shorten it for the whole process."""
    monkeypatch.setattr("wending.assess.endpoint.SILENCE_TIMEOUT", 2.0)


def test_right_answers_pass_and_wrong_numbers_do_not() -> None:
    for scenario in known_scenarios():
        assert len(scenario.items) >= 30
        if scenario.id in ("json_output", "math_reasoning"):
            for item in scenario.items:
                answers = known(item)
                assert run_passes(judge(item, [answers.right] * item.turns))
        if scenario.id == "math_reasoning":
            assert not any(run_passes(judge(item, [known(item).wrong])) for item in scenario.items)


def test_coverage_says_how_sure_it_is() -> None:
    observations = [Observation("rate", 0.5, 0.4, 0.6)] * 19 + [Observation("rate", 0.5, 0.6, 0.7)]
    [found] = coverages(observations)
    assert (found.covered, found.count, found.verdict) == (19, 20, "as meant")
    assert found.share.low < 0.8
    assert Coverage("rate", 160, 200).verdict == "too few"
    assert Coverage("rate", 200, 200).verdict == "conservative"


def test_chances_of_texts_add_up_and_keep_their_mean() -> None:
    for spread in (0.0, 0.3, 0.6):
        chances = failures.Plant(Failures(), 0.8, spread).wrong_texts_chances()
        assert sum(chances) == pytest.approx(1)
        assert sum(number * chance for number, chance in enumerate(chances)) == pytest.approx(0.2 * 20)


async def test_without_a_fault_everything_passes() -> None:
    plant = failures.Plant(Failures(), 1.0, 0.0)
    scenarios = [replace(scenario, items=scenario.items[:6]) for scenario in known_scenarios()
                 if scenario.id != "code_completion"]  # fmt: skip
    observations, [(estimate, planted)] = await failures.simulate("sound", plant, scenarios)
    passes = [one for one in observations if one.figure.startswith("pass rate")]
    assert all(one.planted == one.high == 1.0 for one in passes)
    assert estimate == planted == 1.0


async def test_intervals_hold_the_planted_rates_of_failures() -> None:
    """Of two assessments; the command counts two hundred."""
    plant = failures.Plant(
        Failures(
            http_error=0.02,
            reset=0.02,
            cut_off=0.02,
            broken_json=0.1,
            wrong_date=0.3,
            wrong_role=0.1,
            truncated=0.1,
            empty=0.1,
        ),
        0.8,
        0.3,
    )
    scenarios = [replace(scenario, items=scenario.items[:12]) for scenario in known_scenarios()
                 if scenario.id != "code_completion"]  # fmt: skip
    observations = []
    for number in range(2):
        observations += (await failures.simulate(f"planted {number}", plant, scenarios))[0]
    figures = {one.figure for one in observations}
    planted = ("broken_json", "server_error", "connection_reset", "cut_off", "wrong_date", "role_forgotten",
               "truncated", "empty_answer")  # fmt: skip
    assert {f"problem: {problem}" for problem in planted} <= figures
    covered = sum(one.is_covered for one in observations)
    assert covered >= 0.9 * len(observations)


async def test_a_problem_that_fails_every_failed_run_has_their_interval() -> None:
    """That over items, which repeats that are not independent make wide."""
    [scenario] = [
        replace(one, items=one.items[:12]) for one in known_scenarios() if one.id == "math_reasoning"
    ]
    wrong = {item.id: 16 if number < 4 else 1 for number, item in enumerate(scenario.items)}
    answers = [answer for item in scenario.items for answer in known(item).script(wrong[item.id])]
    report = (await assess(Script(answers=tuple(answers)), [scenario], 1, repeats=5)).to_json()
    [problem] = [row for row in report["stability_problems"] if row["type"] == "wrong_answer"]
    passed, frequency = report["scenarios"][0]["pass_rate"], problem["frequency"]
    assert frequency["k"] == passed["n"] - passed["k"] > 0
    assert frequency["low"] == pytest.approx(1 - passed["high"], abs=2e-5)
    assert frequency["high"] == pytest.approx(1 - passed["low"], abs=2e-5)


@pytest.mark.parametrize("share", [0.0, 0.5])
async def test_answers_that_change_under_load_are_counted(share: float) -> None:
    compared = await agreement.compare(share, Random(2), items=10)
    assert (compared.changed > 0) is (share > 0)
    assert all(one.is_covered for one in compared.observations)


async def test_bounds_of_quantiles_are_withheld_from_few_and_ordered_for_many() -> None:
    """No times are judged here: this machine may be busy."""
    async with LoadGenerator() as generator:
        few = await latency.measure(generator, Lognormal(0.02, 0.3), 20, 1)
        many = await latency.measure(generator, Lognormal(0.02, 0.3), 100, 1)
    assert few.withheld == ["bounds of p95 of 20"]
    assert not many.withheld
    median, late = many.observations
    assert median.low <= median.high <= late.high


@pytest.mark.parametrize(
    ("plant", "streams", "true"),
    [(refuse(10), 10, 10), (queue(10), 10, 11), (slow(10, 0.5), 5, 10), (slow(3, 0.9), 3, 3)],
)
def test_the_true_capacity_follows_from_the_script(plant: CapacityPlant, streams: int, true: int) -> None:
    assert (plant.capacity.streams, plant.true) == (streams, true)


def test_a_capacity_that_the_generator_could_not_drive_is_neither_right_nor_wrong() -> None:
    found = [Found(27, 28, "bracketed", 3), Found(26, 27, "bracketed", 3), Found(30, None, "generator", 3)]
    assert [Searched(refuse(30), one).verdict for one in found] == ["right", "wrong", "not driven"]
    assert Searched(refuse(5), Found(4, 5, "bracketed", 3)).verdict == "right", "one stream"


async def test_side_by_side_keeps_the_order_and_the_number() -> None:
    under_way, most = 0, 0

    async def work(seed: str) -> str:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01 * (3 - int(seed)))
        under_way -= 1
        return seed

    assert await side_by_side(work, ["0", "1", "2"], at_once=2, gap_s=0.0) == ["0", "1", "2"]
    assert most == 2


def test_a_large_drift_is_found_and_a_tiny_one_is_not() -> None:
    assert drift_power.is_found("test", 5760, 0.5)
    assert not drift_power.is_found("test", 1440, 0.001)


def test_no_leak_is_reported_where_none_is() -> None:
    rising = [soaked.rising for soaked in _logs(6, sound=True)]
    assert rising == [set()] * 6


def test_leaks_drifts_crashes_and_stalls_are_found() -> None:
    noise = soak_logs.Noise(2e9, 0.003, 0.003, 0.05, 0.02, 0.1, 0.3, 0.1)
    plant = soak_logs.Plant(
        12.0, leak_bytes=2e7, file_leak=5.0, drift_s=0.01, stalls=(3.0, 9.0), changes_at=4.0
    )
    soaked = soak_logs.soak(plant, noise, Random(1))
    assert soaked.rising == {"memory_bytes", "files", "ttft_s"}
    assert soaked.report["stalls"]["n"] == 2
    assert soaked.report["canary"]["loaded"]["k"] < soaked.report["canary"]["loaded"]["n"]
    crashing = soak_logs.soak(soak_logs.Plant(12.0, crash_rate=0.5), noise, Random(2))
    assert crashing.crashes > 0
    assert crashing.report["crashes"]["n"] == crashing.crashes
    words = " ".join((*soaked.found, *crashing.found))
    for said in (
        "Memory rises by",
        "TTFT (mean of the middle 80 %) rises by",
        "stalls",
        "Canaries differed",
        "ended",
    ):
        assert said in words


@pytest.mark.parametrize("number", range(19))
async def test_a_fault_is_named_and_nothing_else(number: int) -> None:
    """Those of requests and answers; those of soaks take their time, see the command."""
    named = await faults.checks(1)[number]()
    assert named.is_named, named


def _logs(count: int, *, sound: bool) -> Iterator[soak_logs.Soaked]:
    for number in range(count):
        yield soak_logs.simulate(f"test/{number}", sound=sound)
