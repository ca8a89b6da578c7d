"""What two reports say of the same things, and how sure it is that the second is worse."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from wending.assess.bilingual import Bilingual
from wending.assess.report.texts import pair
from wending.assess.results import JSON_RATES
from wending.assess.stats.difference import difference_of_proportions
from wending.assess.stats.paired import paired_change
from wending.assess.stats.proportion import Interval
from wending.assess.stats.quantile import quantile_bounds
from wending.assess.stats.ratio import ratio
from wending.assess.wording import say

Report = Mapping[str, Any]
Kind = Literal[
    "pass_rate",
    "json_rate",
    "failed_requests",
    "changed_under_load",
    "recovery",
    "ttft",
    "speed",
    "concurrency",
]
IntervalAt = Callable[[float], Interval | None]
"""The interval of a change at a confidence; None where the counts cannot carry it."""

LOWER_IS_BETTER = frozenset(("ttft", "changed_under_load", "failed_requests"))
RATIOS = frozenset(("ttft", "speed", "concurrency"))
"""Compared as second / first; rates as second - first."""
CONFIDENCE = 0.95
LET_PASS = 1.05
"""Times of one endpoint on one machine differ from one assessment to the next by some percent, which the
requests of one assessment do not show: a factor that may be below this is nobody's fault."""

_KINDS: dict[Kind, Bilingual] = {
    "pass_rate": Bilingual("passed", "通过率"),
    "json_rate": Bilingual("JSON rates", "JSON 各项比率"),
    "failed_requests": Bilingual("runs whose request failed", "请求失败的运行"),
    "changed_under_load": Bilingual("changed under load", "负载下改变"),
    "recovery": Bilingual("faults come through", "经受住的故障"),
    "ttft": Bilingual("first token", "首字时延"),
    "speed": Bilingual("tok/s", "tok/s"),
    "concurrency": Bilingual("at once", "最大并发"),
}
_ALL = Bilingual("", "")


def _no_interval(_: float) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Row:
    """A figure that both have looked for. `change`: see RATIOS; None where one of them did not get it."""

    kind: Kind
    about: Bilingual
    """The scenario or the type of request; empty for all together."""
    first: float | None
    second: float | None
    change: float | None = None
    interval_at: IntervalAt = _no_interval
    which: Bilingual | None = None
    """Which of several figures of this kind."""

    @property
    def name(self) -> Bilingual:
        what = self.which or _KINDS[self.kind]
        return what if not self.about else Bilingual(f"{self.about}: {what}", f"{self.about.zh}：{what.zh}")

    @property
    def interval(self) -> Interval | None:
        return self.interval_at(CONFIDENCE)

    @property
    def is_lost(self) -> bool:
        """The first has it, and what became of it cannot be told."""
        return self.first is not None and self.change is None

    def is_worse(self, confidence: float) -> bool:
        """Whether the interval leaves no doubt that the second is worse."""
        interval = self.interval_at(confidence)
        if interval is None:
            return False
        limit = LET_PASS if self.kind in RATIOS else 0.0
        if self.kind in LOWER_IS_BETTER:
            return interval.low > limit
        return interval.high < (1 / limit if limit else 0.0)


def compare(first: Report, second: Report) -> list[Row]:
    """Rows for all that both have looked for."""
    return [
        *_scenarios(first, second),
        *_changed_under_load(first, second),
        *_recovery(first, second),
        *_performance(first, second),
    ]


def worse(rows: Sequence[Row]) -> list[Row]:
    """Those that are worse beyond doubt. Among many figures some differ by chance: each is held to a
    confidence with which all together are wrong in at most 5 % of comparisons (Bonferroni's correction; O. J.
    Dunn, "Multiple comparisons among means", JASA 56 (1961), 52-64)."""
    looked_at = sum(row.interval is not None for row in rows)
    return [row for row in rows if row.is_worse(1 - (1 - CONFIDENCE) / max(looked_at, 1))]


def _scenarios(first: Report, second: Report) -> Iterator[Row]:
    others = {scenario["id"]: scenario for scenario in second["scenarios"]}
    both = [(one, others[one["id"]]) for one in first["scenarios"] if one["id"] in others]
    if len(both) > 1:
        yield _paired(
            "pass_rate", _ALL, *(_by_item([pair[side] for pair in both], _passed) for side in (0, 1))
        )
    for one, other in both:
        yield _paired("pass_rate", _words(one["title"]), _by_item([one], _passed), _by_item([other], _passed))
    for one, other in both:
        yield from _json_rates(one, other)
    # Types of stability problem are not compared: one type of an old report may be several in a new one.
    yield _paired(
        "failed_requests", _ALL, *(_by_item([pair[side] for pair in both], _failed) for side in (0, 1))
    )


def _paired(
    kind: Kind, about: Bilingual, first: Mapping[str, Sequence[float]], second: Mapping[str, Sequence[float]]
) -> Row:
    """Of values by item, of the items which both have."""
    change = paired_change(first, second)
    if change is None:
        return Row(kind, about, _mean(first), _mean(second))
    common = first.keys() & second.keys()
    before, after = (_mean({item: values[item] for item in common}) for values in (first, second))

    def interval_at(confidence: float) -> Interval | None:
        found = paired_change(first, second, confidence)
        if found is None or found.interval is not None or not found.difference:
            return None if found is None else found.interval
        # All items changed alike: then the median item's change has bounds where no mean's has.
        return quantile_bounds([found.difference] * found.items, 0.5, confidence)

    return Row(kind, about, before, after, change.difference, interval_at)


def _by_item(scenarios: Sequence[Report], counts: Callable[[Report], bool]) -> dict[str, list[float]]:
    """By item, 1 for each run that counts and 0 for another."""
    found: dict[str, list[float]] = {}
    for scenario in scenarios:
        for run in scenario["runs"]:
            found.setdefault(f"{scenario['id']}/{run['item']}", []).append(float(counts(run)))
    return found


def _passed(run: Report) -> bool:
    return bool(run["pass"])


def _failed(run: Report) -> bool:
    return run["error"] is not None


def _json_rates(first: Report, second: Report) -> Iterator[Row]:
    """As asked in words alone, paired by item; and with the schema in the request, by its rates alone, since
    earlier reports do not hold those runs."""
    title = _words(first["title"])
    if _rates(first) and _rates(second):
        for name, check in JSON_RATES.items():
            row = _paired("json_rate", title, _verdicts(first, check), _verdicts(second, check))
            yield replace(row, which=_words(pair(f"json_{name}")))
    with_schema = [_rates(scenario.get("response_format") or {}) for scenario in (first, second)]
    if all(with_schema):
        for name, check in JSON_RATES.items():
            items = [len(_verdicts(scenario, check)) or math.inf for scenario in (first, second)]
            row = _of_rates("json_rate", title, [rates[name] for rates in with_schema], items)
            yield replace(
                row, which=_words(pair(f"json_{name}")) + Bilingual(", with schema", "（附带 schema）")
            )


def _rates(measured: Report) -> Report:
    """The four rates; empty where JSON was not asked for."""
    return measured.get("json_rates") or {}


def _verdicts(scenario: Report, check: str) -> dict[str, list[float]]:
    """By item, 1 for each run that passed the check and 0 for another."""
    found: dict[str, list[float]] = {}
    for run in scenario["runs"]:
        verdicts = [float(result["pass"]) for result in run["checks"] if result["name"] == check]
        if verdicts:
            found.setdefault(run["item"], []).extend(verdicts)
    return found


def _changed_under_load(first: Report, second: Report) -> Iterator[Row]:
    """Where agreement was measured under load in both."""
    if all(_was_loaded(report) for report in (first, second)):
        rates = [report["agreement"].get("changed_under_load") for report in (first, second)]
        yield _of_rates("changed_under_load", _ALL, rates, [math.inf, math.inf])


def _was_loaded(report: Report) -> bool:
    conditions = report.get("agreement", {}).get("conditions", ())
    return any(found.get("condition") == "loaded" for found in conditions)


def _of_rates(kind: Kind, about: Bilingual, rates: Sequence[Report | None], items: Sequence[float]) -> Row:
    """Of two rates whose runs are not known: a rate counts for no more runs than it has items, since repeats
    of one item may all be alike."""
    before, after = (_share(rate) for rate in rates)
    if before is None or after is None:
        return Row(kind, about, before, after)
    trials = [min(rate["n"], most) for rate, most in zip(rates, items, strict=True) if rate is not None]

    def interval_at(confidence: float) -> Interval:
        return difference_of_proportions(before, trials[0], after, trials[1], confidence)

    return Row(kind, about, before, after, after - before, interval_at)


def _share(rate: Report | None) -> float | None:
    return rate["k"] / rate["n"] if rate is not None and rate["n"] else None


def _recovery(first: Report, second: Report) -> Iterator[Row]:
    """The share of faults that were come through, of those that were made in both."""
    if first.get("recovery") and second.get("recovery"):
        before, after = (
            {row["id"]: [float(row["ok"])] for row in report["recovery"]["rows"] if row["ok"] is not None}
            for report in (first, second)
        )
        yield _paired("recovery", _ALL, before, after)


def _performance(first: Report, second: Report) -> Iterator[Row]:
    others = {result["request_type"]: result for result in second["performance"]}
    for one in first["performance"]:
        other = others.get(one["request_type"])
        if other is None:
            continue
        about = Bilingual(say(one["request_type"], "en"), say(one["request_type"], "zh"))
        yield _of_times("ttft", about, one, other, "ttft_s")
        yield _of_times("speed", about, one, other, "tokens_per_s")
        before, after = one["max_concurrency"], other["max_concurrency"]
        yield Row("concurrency", about, before, after, _quotient(before, after))


def _of_times(kind: Kind, about: Bilingual, first: Report, second: Report, name: str) -> Row:
    """The quotient of the medians; its interval by ranks of the single requests."""
    before, after = first[name]["p50"], second[name]["p50"]
    values, others = first["values"][name], second["values"][name]

    def interval_at(confidence: float) -> Interval | None:
        found = ratio(values, others, confidence)
        return None if found is None else found.interval

    return Row(kind, about, before, after, _quotient(before, after), interval_at)


def _quotient(before: float | None, after: float | None) -> float | None:
    if before is None or after is None:
        return None
    if before == after:
        return 1.0
    return after / before if before else math.inf


def _mean(of_item: Mapping[str, Sequence[float]]) -> float | None:
    """Over all values, whichever item they are of."""
    count = sum(map(len, of_item.values()))
    return sum(map(sum, of_item.values())) / count if count else None


def _words(words: Mapping[str, str]) -> Bilingual:
    return Bilingual(words["en"], words["zh"])
