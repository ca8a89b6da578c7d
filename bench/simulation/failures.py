"""Failures at planted rates: do the intervals of the report hold the rates?

Every request draws what becomes of it, so that what a run comes to has a known distribution: that of its
item, by enumeration of the texts an answer may be and of the project's own verdicts on them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import comb, exp, lgamma
from random import Random
from typing import Any

from bench.simulation.assessing import assess
from bench.simulation.observation import Observation
from bench.simulation.right_answers import TEXTS, known, known_scenarios

from wending.assess.checks import CheckResult, run_passes
from wending.assess.results import JSON_RATES
from wending.assess.scenarios import Item, Scenario, judge
from wending.assess.scripted import Script, defects
from wending.assess.scripted.reply import tokens_of
from wending.assess.scripted.script import Answer, Failures
from wending.assess.stats import Interval, rate_over_items

REPEATS = 5
MOST_ITEMS = {"code_completion": 2}
"""Of a scenario; the sandbox takes a quarter of a second for each answer."""
MOST_ITEMS_OF_OTHERS = 30


@dataclass(frozen=True, slots=True)
class Plant:
    """`failures` are those of requests and of answers. Beside them items are answered rightly with chances
    of their own: `passing` is their mean over all items there might be, `spread` how much items
    differ, from 0 (not at all) to 1 (each is always or never answered rightly)."""

    failures: Failures
    passing: float
    spread: float

    def failed_request_chances(self) -> dict[str, float]:
        """Of a request, by the type of problem that the report should name."""
        failures = self.failures
        return {
            "server_error": failures.http_error + failures.error_event,
            "too_many_requests": failures.too_many_requests,
            "connection_reset": failures.reset,
            "cut_off": failures.cut_off + failures.no_end,
            "timeout": failures.hang + failures.stall,
            "protocol_error": failures.bad_event,
        }

    def wrong_texts_chances(self) -> list[float]:
        """Of an item, how likely it is that 0, 1 ... TEXTS of its texts are wrong: beta-binomial."""
        if self.spread == 0:
            return [_binomial(number, 1 - self.passing) for number in range(TEXTS + 1)]
        concentration = 1 / self.spread - 1
        a, b = (1 - self.passing) * concentration, self.passing * concentration
        return [
            comb(TEXTS, number) * exp(_log_beta(number + a, TEXTS - number + b) - _log_beta(a, b))
            for number in range(TEXTS + 1)
        ]


@dataclass(slots=True)
class Chances:
    """What may become of one run of an item. `checks`: of those runs that were answered."""

    passes: float
    problems: dict[str, float]
    checks: dict[str, float]


def draw_plant(random: Random) -> Plant:
    """Few enough failed requests that five in a row, which end an assessment, hardly occur."""
    failures = Failures(
        http_error=random.uniform(0.0, 0.01),
        error_event=random.uniform(0.0, 0.005),
        too_many_requests=random.uniform(0.0, 0.01),
        reset=random.uniform(0.0, 0.01),
        cut_off=random.uniform(0.0, 0.01),
        no_end=random.uniform(0.0, 0.005),
        hang=random.uniform(0.0, 0.002),
        stall=random.uniform(0.0, 0.002),
        bad_event=random.uniform(0.0, 0.005),
        broken_json=random.uniform(0.01, 0.25),
        wrong_date=random.uniform(0.05, 0.3),
        date_format=random.uniform(0.05, 0.3),
        wrong_role=random.uniform(0.01, 0.25),
        truncated=random.uniform(0.01, 0.1),
        empty=random.uniform(0.0, 0.05),
    )
    return Plant(failures, random.uniform(0.5, 0.97), random.choice((0.0, 0.1, 0.3, 0.6)))


def draw_scenarios(random: Random) -> list[Scenario]:
    """The five, each with some of its items."""
    return [
        replace(scenario, items=tuple(random.sample(scenario.items, min(most, len(scenario.items)))))
        for scenario in known_scenarios()
        for most in [MOST_ITEMS.get(scenario.id, MOST_ITEMS_OF_OTHERS)]
    ]


async def simulate(
    seed: str, plant: Plant | None = None, scenarios: Sequence[Scenario] | None = None
) -> tuple[list[Observation], list[tuple[float, float]]]:
    """One assessment: its intervals beside what was planted, and (estimate, planted) of pass^k.

    Both are empty where five failed requests in a row had ended it.
    """
    random = Random(seed)
    plant = plant or draw_plant(random)
    scenarios = scenarios or draw_scenarios(random)
    weights = plant.wrong_texts_chances()
    wrong_texts = {
        item.id: random.choices(range(TEXTS + 1), weights)[0] if _has_wrong_texts(item) else 0
        for scenario in scenarios
        for item in scenario.items
    }
    answers: list[Answer] = [
        answer
        for scenario in scenarios
        for item in scenario.items
        for answer in known(item).script(wrong_texts[item.id])
    ]
    script = Script(seed=random.getrandbits(30), tokens=4, answers=tuple(answers), failures=plant.failures)
    report = (await assess(script, scenarios, random.getrandbits(30), repeats=REPEATS)).to_json()
    if not report["complete"]:
        return [], []
    observations = []
    for scenario, told in zip(scenarios, report["scenarios"], strict=True):
        observations += _of_scenario(plant, scenario, told, report["stability_problems"])
        observations += _of_items(plant, scenario, told, wrong_texts)
    items = [item for scenario in scenarios for item in scenario.items]
    observations.append(
        _observed("pass rate, all scenarios", _mean(plant, items).passes, report["pass_rate"])
    )
    return observations, [_pass_hat_k(plant, scenarios[2], report["scenarios"][2])]


def _of_scenario(
    plant: Plant, scenario: Scenario, told: Mapping[str, Any], problems: Sequence[Mapping[str, Any]]
) -> Iterator[Observation]:
    mean = _mean(plant, scenario.items)
    yield _observed("pass rate of a scenario", mean.passes, told["pass_rate"])
    found = {row["type"]: row["frequency"] for row in problems if row["scenario"] == scenario.id}
    for problem, planted in mean.problems.items():
        # One that was not seen has no row: then what its row would say counts.
        frequency = found.get(problem) or _none_of(len(scenario.items))
        yield _observed(f"problem: {problem}", planted, frequency)
    if told["json_rates"] is not None:
        for name, check in JSON_RATES.items():
            yield _observed(f"JSON: {name}", mean.checks[check], told["json_rates"][name])
    for curve in told["retention"]:
        for point in curve["points"]:
            kept = [
                item
                for item in scenario.items
                if point["turn"] in item.judged_turns and len(item.judged_turns) > 1
            ]
            planted = sum(_of_one_answer(plant, item, 0.0)[0] for item in kept) / len(kept)
            yield _observed("role kept at a turn", planted, point["rate"])


def _of_items(
    plant: Plant, scenario: Scenario, told: Mapping[str, Any], wrong_texts: Mapping[str, int]
) -> Iterator[Observation]:
    for item, row in zip(scenario.items, told["items"], strict=True):
        chances = _chances(plant, item, wrong_texts[item.id] / TEXTS)
        yield _observed("pass rate of an item", chances.passes, row["pass_rate"])


def _pass_hat_k(plant: Plant, scenario: Scenario, told: Mapping[str, Any]) -> tuple[float, float]:
    """Of REPEATS repeats, over mathematics, whose items differ most. The report has no interval of it."""
    [row] = [row for row in told["pass_hat_k"] if row["k"] == REPEATS]
    planted = [
        chance * sum(_chances(plant, item, number / TEXTS).passes ** REPEATS for item in scenario.items)
        for number, chance in enumerate(plant.wrong_texts_chances())
    ]
    return row["share"], sum(planted) / len(scenario.items)


def _mean(plant: Plant, items: Sequence[Item]) -> Chances:
    """Over these items, with chances of their own that are drawn anew."""
    each = [_chances(plant, item, 1 - plant.passing if _has_wrong_texts(item) else 0.0) for item in items]
    problems: dict[str, float] = defaultdict(float)
    checks: dict[str, float] = defaultdict(float)
    for chances in each:
        for problem, chance in chances.problems.items():
            problems[problem] += chance / len(each)
        for check, chance in chances.checks.items():
            checks[check] += chance / len(each)
    return Chances(sum(chances.passes for chances in each) / len(each), problems, checks)


def _chances(plant: Plant, item: Item, wrong_share: float) -> Chances:
    """One run: every turn's request may fail, every judged answer is drawn."""
    failing = plant.failed_request_chances()
    failed = sum(failing.values())
    answered = (1 - failed) ** item.turns
    judged = len(item.judged_turns)
    passes, problems, checks = _of_one_answer(plant, item, wrong_share)
    # The first request that fails ends the run and names it.
    ended = {problem: chance / failed * (1 - answered) for problem, chance in failing.items() if failed}
    seen = {problem: answered * (1 - (1 - chance) ** judged) for problem, chance in problems.items()}
    return Chances(answered * passes**judged, ended | seen, checks)


def _of_one_answer(
    plant: Plant, item: Item, wrong_share: float
) -> tuple[float, dict[str, float], dict[str, float]]:
    """The chances that one judged answer passes, shows each problem, and passes each check."""
    passes = 0.0
    problems: dict[str, float] = defaultdict(float)
    checks: dict[str, float] = defaultdict(float)
    for (text, is_cut), chance in _texts(plant, item, wrong_share).items():
        results = _verdicts(item, text)
        passes += chance * run_passes(results)
        seen = {result.problem for result in results if not result.passed and result.problem is not None}
        if seen and (is_cut or not text.strip()):
            seen = {"truncated" if is_cut else "empty_answer"}
        for problem in seen:
            problems[problem] += chance
        for result in results:
            checks[result.name] += chance * result.passed
    return passes, problems, checks


def _texts(plant: Plant, item: Item, wrong_share: float) -> dict[tuple[str, bool], float]:
    """The texts that an answer may be, in the order in which the scripted endpoint makes them, whether they
    were cut, and how likely."""
    answers, failures = known(item), plant.failures
    texts = {answers.right: 1 - wrong_share} | ({answers.wrong: wrong_share} if wrong_share else {})
    if item.messages[0]["role"] == "system":
        texts = _some(texts, failures.wrong_role, lambda _: True, lambda _: defects.OUT_OF_ROLE)
    texts = _some(texts, failures.wrong_date, defects.has_date, defects.spoil_date)
    texts = _some(texts, failures.date_format, defects.has_date, defects.reformat_date)
    texts = _some(texts, failures.broken_json, defects.has_json, defects.break_json)
    texts = _some(texts, failures.empty, lambda _: True, lambda _: "")
    found: dict[tuple[str, bool], float] = defaultdict(float)
    for text, chance in texts.items():
        tokens = tokens_of(text)
        half = tokens[: defects.half(len(tokens))]
        found["".join(half), len(half) < len(tokens)] += chance * failures.truncated
        found[text, False] += chance * (1 - failures.truncated)
    return found


def _some(
    texts: Mapping[str, float], share: float, applies: Callable[[str], bool], change: Callable[[str], str]
) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for text, chance in texts.items():
        if applies(text):
            found[change(text)] += chance * share
            found[text] += chance * (1 - share)
        else:
            found[text] += chance
    return found


_verdicts_of: dict[tuple[str, str], list[CheckResult]] = {}


def _verdicts(item: Item, text: str) -> list[CheckResult]:
    """On the last judged turn; kept, because the sandbox takes its time."""
    place = (item.id, text)
    if place not in _verdicts_of:
        results = judge(item, [text] * item.turns)
        _verdicts_of[place] = [result for result in results if result.turn in (None, item.turns)]
    return _verdicts_of[place]


def _has_wrong_texts(item: Item) -> bool:
    """A conversation that is judged at several turns would be wrong at all of them or none."""
    return len(item.judged_turns) == 1


def _observed(figure: str, planted: float, rate: Mapping[str, Any]) -> Observation:
    return Observation(figure, planted, rate["low"], rate["high"])


def _none_of(items: int) -> dict[str, Any]:
    found = rate_over_items([[False] * REPEATS] * items)
    low, high = found.interval or Interval(0.0, 1.0)
    return {"k": 0, "n": found.runs, "low": low, "high": high}


def _binomial(number: int, chance: float) -> float:
    return comb(TEXTS, number) * chance**number * (1 - chance) ** (TEXTS - number)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
