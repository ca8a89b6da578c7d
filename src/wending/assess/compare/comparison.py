"""What two reports say of the same things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wending.assess.bilingual import Bilingual
from wending.assess.stats.paired import paired_change
from wending.assess.stats.proportion import Interval
from wending.assess.stats.quantile import quantile_bounds
from wending.assess.wording import say

Report = Mapping[str, Any]
Kind = Literal["pass_rate", "ttft", "speed", "concurrency", "changed_under_load"]

LOWER_IS_BETTER = frozenset(("ttft", "changed_under_load"))
RATIOS = frozenset(("ttft", "speed", "concurrency"))
"""Compared as second / first; rates as second - first."""

_KINDS: dict[Kind, Bilingual] = {
    "pass_rate": Bilingual("passed", "通过率"),
    "ttft": Bilingual("first token", "首字时延"),
    "speed": Bilingual("tok/s", "tok/s"),
    "concurrency": Bilingual("at once", "最大并发"),
    "changed_under_load": Bilingual("changed under load", "负载下改变"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both. `change`: see RATIOS; None where it cannot be told."""

    kind: Kind
    about: Bilingual
    """The scenario or the type of request; empty for all together."""
    first: float
    second: float
    change: float | None
    interval: Interval | None = None
    """Of the change: of a pass rate paired by item, of a median from its order statistics; None where the
    counts do not carry it."""

    @property
    def name(self) -> Bilingual:
        kind = _KINDS[self.kind]
        return kind if not self.about else Bilingual(f"{self.about}: {kind}", f"{self.about.zh}：{kind.zh}")

    @property
    def is_worse(self) -> bool:
        """Whether the interval of a pass rate leaves no doubt that the second is worse.

        That of a time says nothing of how the machine was on another day, so a time is never worse by itself.
        """
        return self.kind == "pass_rate" and self.interval is not None and self.interval.high < 0


def compare(first: Report, second: Report) -> list[Row]:
    """Rows for all that both have measured."""
    return [*_pass_rates(first, second), *_changed(first, second), *_performance(first, second)]


def _pass_rates(first: Report, second: Report) -> Iterator[Row]:
    others = {scenario["id"]: scenario for scenario in second["scenarios"]}
    both = [(one, others[one["id"]]) for one in first["scenarios"] if one["id"] in others]
    row = _pass_rate(Bilingual("", ""), [one for one, _ in both], [other for _, other in both])
    if row is not None and len(both) > 1:
        yield row
    for one, other in both:
        row = _pass_rate(Bilingual(one["title"]["en"], one["title"]["zh"]), [one], [other])
        if row is not None:
            yield row


def _pass_rate(about: Bilingual, first: Sequence[Report], second: Sequence[Report]) -> Row | None:
    before, after = _passes(first), _passes(second)
    change = paired_change(before, after)
    if change is None:
        return None
    return Row("pass_rate", about, _rate(before), _rate(after), change.difference, change.interval)


def _passes(scenarios: Sequence[Report]) -> dict[str, list[float]]:
    """By item, 1 for each run that passed and 0 for another."""
    found: dict[str, list[float]] = {}
    for scenario in scenarios:
        for run in scenario["runs"]:
            found.setdefault(f"{scenario['id']}/{run['item']}", []).append(float(run["pass"]))
    return found


def _rate(of_item: Mapping[str, Sequence[float]]) -> float:
    return sum(map(sum, of_item.values())) / sum(map(len, of_item.values()))


def _changed(first: Report, second: Report) -> Iterator[Row]:
    rates = [report["agreement"]["changed_under_load"] for report in (first, second)]
    if None not in rates:
        before, after = (rate["k"] / rate["n"] for rate in rates)
        yield Row("changed_under_load", Bilingual("", ""), before, after, after - before)


def _performance(first: Report, second: Report) -> Iterator[Row]:
    others = {result["request_type"]: result for result in second["performance"]}
    for one in first["performance"]:
        other = others.get(one["request_type"])
        if other is None:
            continue
        about = Bilingual(say(one["request_type"], "en"), say(one["request_type"], "zh"))
        figures: tuple[tuple[Kind, Any, Any, Interval | None], ...] = (
            ("ttft", one["ttft_s"]["p50"], other["ttft_s"]["p50"], _ratio(one, other, "ttft_s")),
            (
                "speed",
                one["tokens_per_s"]["p50"],
                other["tokens_per_s"]["p50"],
                _ratio(one, other, "tokens_per_s"),
            ),
            ("concurrency", one["max_concurrency"], other["max_concurrency"], None),
        )
        for kind, before, after, interval in figures:
            if before is not None and after is not None:
                yield Row(kind, about, before, after, after / before if before else None, interval)


def _ratio(first: Report, second: Report, key: str) -> Interval | None:
    """Of the second median by the first, 95 %: each lies within its bounds of 97.5 %, so both do in at least
    95 % of cases (Bonferroni)."""
    before, after = (
        quantile_bounds(result["values"][key], 0.5, confidence=0.975) if result.get("values") else None
        for result in (first, second)
    )
    if before is None or after is None or before.low <= 0:
        return None
    return Interval(after.low / before.high, after.high / before.low)
