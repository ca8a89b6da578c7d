"""What two reports say of the same things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wending.assess.bilingual import Bilingual
from wending.assess.stats.paired import paired_change
from wending.assess.stats.proportion import Interval
from wending.assess.wording import say

Report = Mapping[str, Any]
Kind = Literal["pass_rate", "failed_requests", "ttft", "speed", "concurrency", "changed_under_load"]

LOWER_IS_BETTER = frozenset(("failed_requests", "ttft", "changed_under_load"))
RATIOS = frozenset(("ttft", "speed", "concurrency"))
"""Compared as second / first; rates as second - first."""

_KINDS: dict[Kind, Bilingual] = {
    "pass_rate": Bilingual("passed", "通过率"),
    "failed_requests": Bilingual("runs whose request failed", "请求失败的运行"),
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
    """Of the change, paired by item; None where only medians are known."""

    @property
    def name(self) -> Bilingual:
        kind = _KINDS[self.kind]
        return kind if not self.about else Bilingual(f"{self.about}: {kind}", f"{self.about.zh}：{kind.zh}")

    @property
    def is_worse(self) -> bool:
        """Whether the interval leaves no doubt that the second is worse."""
        if self.interval is None:
            return False
        return self.interval.low > 0 if self.kind in LOWER_IS_BETTER else self.interval.high < 0


def compare(first: Report, second: Report) -> list[Row]:
    """Rows for all that both have measured.

    Types of stability problem are not compared: what is one type in an old report may be several in a new
    one. Requests that failed are, all together, because that means the same in both.
    """
    return [
        *_pass_rates(first, second),
        *_failed(first, second),
        *_changed(first, second),
        *_performance(first, second),
    ]


def _in_both(first: Report, second: Report) -> list[tuple[Report, Report]]:
    """The scenarios that both have asked."""
    others = {scenario["id"]: scenario for scenario in second["scenarios"]}
    return [(one, others[one["id"]]) for one in first["scenarios"] if one["id"] in others]


def _pass_rates(first: Report, second: Report) -> Iterator[Row]:
    both = _in_both(first, second)
    row = _share("pass_rate", Bilingual("", ""), both)
    if row is not None and len(both) > 1:
        yield row
    for one, other in both:
        row = _share("pass_rate", Bilingual(one["title"]["en"], one["title"]["zh"]), [(one, other)])
        if row is not None:
            yield row


def _failed(first: Report, second: Report) -> Iterator[Row]:
    row = _share("failed_requests", Bilingual("", ""), _in_both(first, second))
    if row is not None and (row.first or row.second):
        yield row


def _share(kind: Kind, about: Bilingual, scenarios: Sequence[tuple[Report, Report]]) -> Row | None:
    """Of the runs, paired by item."""
    before = _by_item(kind, [one for one, _ in scenarios])
    after = _by_item(kind, [other for _, other in scenarios])
    change = paired_change(before, after)
    if change is None:
        return None
    return Row(kind, about, _rate(before), _rate(after), change.difference, change.interval)


def _by_item(kind: Kind, scenarios: Sequence[Report]) -> dict[str, list[float]]:
    """By item, 1 for each run that passed, or failed for want of an answer, and 0 for another."""
    found: dict[str, list[float]] = {}
    for scenario in scenarios:
        for run in scenario["runs"]:
            counts = run["pass"] if kind == "pass_rate" else run["error"] is not None
            found.setdefault(f"{scenario['id']}/{run['item']}", []).append(float(counts))
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
        figures: tuple[tuple[Kind, Any, Any], ...] = (
            ("ttft", one["ttft_s"]["p50"], other["ttft_s"]["p50"]),
            ("speed", one["tokens_per_s"]["p50"], other["tokens_per_s"]["p50"]),
            ("concurrency", one["max_concurrency"], other["max_concurrency"]),
        )
        for kind, before, after in figures:
            if before is not None and after is not None:
                yield Row(kind, about, before, after, after / before if before else None)
