"""Turns judged runs into the table of stability problems: which, how often, an example, what to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.checks.verdict import CheckResult
from wending.assess.problems import FAILED_REQUESTS, problem_type
from wending.assess.stats import Interval, rate_over_items

EXAMPLE_LENGTH = 160
UNUSABLE = frozenset(
    (
        *FAILED_REQUESTS,
        "empty_answer", "broken_json", "trailing_comma", "schema_mismatch", "code_does_not_parse",
    )
)  # fmt: skip
FREQUENT, RARE = 0.2, 0.05
_EMPTY = Bilingual("the answer has no text", "回答没有任何文字")

Severity = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """One finished run as the classification needs it: an answer for each turn, and the verdicts.

    ``answer`` is the parsed answer where the item has one right answer (``item.comparable_answer(text)``),
    else None. ``cut_turns`` are the turns, from 1, whose answers ended at the token limit. ``error`` is the
    message of a request that failed, ``error_type`` its type of problem; such a run has no checks.
    """

    scenario: str
    item: str
    answers: Sequence[str]
    checks: Sequence[CheckResult]
    cut_turns: Collection[int] = ()
    error: str | None = None
    error_type: str | None = None
    answer: str | None = None
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class Sighting:
    """A run that shows a problem, and how."""

    example: str
    run: JudgedRun


@dataclass(frozen=True, slots=True)
class StabilityProblem:
    """One row of the table: ``frequency`` k of n runs of that scenario, with its interval over items."""

    type: str
    scenario: str
    k: int
    n: int
    interval: Interval
    example: str
    title: Mapping[str, str]
    action: Mapping[str, str]
    severity: Severity
    evidence: tuple[tuple[str, int], ...]
    """Item and repeat of each run that shows it, in the order of the repeats: the first is where it was first
    seen."""


def find_problems(runs: Iterable[JudgedRun]) -> list[StabilityProblem]:
    """All problems seen, scenario by scenario in the order of the runs, the most frequent first.

    A run may show several problems; it counts once for each. An answer that fails after it was cut off at the
    token limit counts as truncated only, and an empty one as empty: what else is wrong follows from that.
    """
    by_scenario: dict[str, list[JudgedRun]] = defaultdict(list)
    for run in runs:
        by_scenario[run.scenario].append(run)
    problems = []
    for scenario, scenario_runs in by_scenario.items():
        sightings: dict[str, list[Sighting]] = defaultdict(list)
        for run in scenario_runs:
            for problem, example in _evidence(run).items():
                sightings[problem].append(Sighting(example, run))
        for sighting in _deviating(scenario_runs):
            sightings["unstable_answer"].append(sighting)
        runs_of = Counter(run.item for run in scenario_runs)
        rows = [_row(problem, scenario, found, runs_of) for problem, found in sightings.items()]
        problems += sorted(rows, key=lambda row: -row.k)
    return problems


def _evidence(run: JudgedRun) -> dict[str, str]:
    """The problems one run shows, each with an example."""
    if run.error is not None and run.error_type is not None:
        return {run.error_type: _example(run.item, run.error)}
    found: dict[str, str] = {}
    for check in reversed(run.checks):  # the first failure of a kind is its example
        if check.passed or check.problem is None:
            continue
        answer = None if check.turn is None else run.answers[check.turn - 1]
        if answer is not None and check.turn in run.cut_turns:
            end = answer[-80:]
            found["truncated"] = _example(run.item, Bilingual(f"ends with: {end}", f"结尾为：{end}"))
        elif answer is not None and not answer.strip():
            found["empty_answer"] = _example(run.item, _EMPTY)
        else:
            found[check.problem] = _example(run.item, check.reason)
    return found


def _deviating(runs: Sequence[JudgedRun]) -> list[Sighting]:
    """For each run whose parsed answer differs from the most common one of its item: what it said instead.

    An answer that was cut off may have been going to say the same.
    """
    by_item: dict[str, list[JudgedRun]] = defaultdict(list)
    for run in runs:
        if run.answer is not None and len(run.answers) not in run.cut_turns:
            by_item[run.item].append(run)
    found: list[Sighting] = []
    for item, several in by_item.items():
        common, count = Counter(run.answer for run in several).most_common(1)[0]
        for run in several:
            if run.answer != common:
                words = Bilingual(
                    f"answered {run.answer}; {count} of {len(several)} repeats answered {common}",
                    f"回答 {run.answer}；{len(several)} 次中有 {count} 次回答 {common}",
                )
                found.append(Sighting(_example(item, words), run))
    return found


def _row(
    problem: str, scenario: str, sightings: Sequence[Sighting], runs_of: Mapping[str, int]
) -> StabilityProblem:
    """`runs_of`: how many runs each item had."""
    seen = Counter(one.run.item for one in sightings)
    rate = rate_over_items([[True] * seen[item] + [False] * (n - seen[item]) for item, n in runs_of.items()])
    assert rate.interval is not None  # noqa: S101 - a row exists only where there was a run
    description = problem_type(problem)
    return StabilityProblem(
        problem,
        scenario,
        rate.passed,
        rate.runs,
        rate.interval,
        sightings[0].example,
        description.title,
        description.action,
        _severity(problem, rate.passed / rate.runs),
        tuple(sorted(((one.run.item, one.run.repeat) for one in sightings), key=lambda place: place[1])),
    )


def _severity(problem: str, share: float) -> Severity:
    """High: no answer, one that a program cannot use, or one in five runs. Low: fewer than one in twenty."""
    if problem in UNUSABLE or share >= FREQUENT:
        return "high"
    return "medium" if share >= RARE else "low"


def _example(item: str, words: str) -> Bilingual:
    return Bilingual(_excerpt(f"{item}: {words}"), _excerpt(f"{item}：{chinese(words)}"))


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= EXAMPLE_LENGTH else line[: EXAMPLE_LENGTH - 1] + "…"
