"""Whether what was assessed holds, by rules that are stated and can be checked by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wending.assess.bilingual import Bilingual
from wending.assess.stats import most_without_failure
from wending.assess.wording import say

Report = Mapping[str, Any]
Level = Literal["holds", "holds_with_conditions", "does_not_hold", "undecided"]
Outcome = Literal["met", "uncertain", "missed", "unmeasured"]

LEAST_RATE = 0.8
"""Of the runs of a scenario that pass, and of the answers under load that are valid."""
FLOOR = 0.5
"""What is certain to pass fewer of its runs does not hold."""
MOST_ERRORS = 0.01
MOST_CHANGED = 0.05
"""Where load changed no answer, it may still change so large a share that was not seen."""

LEVELS: dict[Level, Bilingual] = {
    "holds": Bilingual("Holds", "稳定"),
    "holds_with_conditions": Bilingual("Holds with conditions", "有条件地稳定"),
    "does_not_hold": Bilingual("Does not hold", "不稳定"),
    "undecided": Bilingual("Not decided", "无法判定"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found. "uncertain": met by what was seen, but the interval reaches beyond the limit."""

    outcome: Outcome
    words: Bilingual


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    demand: Bilingual
    critical: bool
    """Whether nothing holds where it is missed."""
    look: Callable[[Report], Finding]


UNMEASURED = Finding("unmeasured", Bilingual("not measured", "未测量"))


def verdict_json(report: Report) -> dict[str, Any]:
    """`level`: "does_not_hold" if a critical rule is missed, "undecided" if the assessment broke off or asked
    nothing, "holds" if every rule that was measured is met, else "holds_with_conditions"."""
    found = [(rule, rule.look(report)) for rule in RULES]
    level = _level(report, found)
    return {
        "level": level,
        "title": _words(LEVELS[level]),
        "rules": [
            {
                "id": rule.id,
                "demand": _words(rule.demand),
                "critical": rule.critical,
                "outcome": finding.outcome,
                "finding": _words(finding.words),
            }
            for rule, finding in found
        ],
    }


def _level(report: Report, found: Sequence[tuple[Rule, Finding]]) -> Level:
    outcomes = {finding.outcome for _, finding in found}
    if any(rule.critical and finding.outcome == "missed" for rule, finding in found):
        return "does_not_hold"
    if not report["complete"] or outcomes == {"unmeasured"}:
        return "undecided"
    return "holds" if outcomes <= {"met", "unmeasured"} else "holds_with_conditions"


def _errors(report: Report) -> Finding:
    failed = report["failed_requests"]["all"]
    if not failed["n"]:
        return UNMEASURED
    possible = _at_most(failed)
    words = Bilingual(
        f"{failed['k']} of {failed['n']} requests failed; up to {100 * possible:.1f}% may",
        f"{failed['n']} 次请求中失败 {failed['k']} 次；失败率至多可能为 {100 * possible:.1f}%",
    )
    if _share(failed) > MOST_ERRORS:
        return Finding("missed", words)
    return Finding("met" if possible <= MOST_ERRORS else "uncertain", words)


def _floor(report: Report) -> Finding:
    """Nothing passed at all, or at least one scenario, or all together, pass less than half for certain."""
    asked = _asked(report)
    if not asked:
        return UNMEASURED
    below = [scenario for scenario in asked if scenario["pass_rate"]["high"] < FLOOR]
    if below:
        titles = [scenario["title"] for scenario in below]
        return Finding("missed", Bilingual(
            "below half: " + ", ".join(title["en"] for title in titles),
            "不到一半：" + "、".join(title["zh"] for title in titles),
        ))  # fmt: skip
    overall = report["pass_rate"]
    words = Bilingual(
        f"{overall['k']} of all {overall['n']} runs pass",
        f"全部 {overall['n']} 次运行中通过 {overall['k']} 次",
    )
    return Finding("missed" if not overall["k"] or overall["high"] < FLOOR else "met", words)


def _pass_rates(report: Report) -> Finding:
    asked = _asked(report)
    if not asked:
        return UNMEASURED
    weakest = min(asked, key=lambda scenario: _share(scenario["pass_rate"]))
    rate, title = weakest["pass_rate"], weakest["title"]
    words = Bilingual(
        f"the weakest is {title['en']}: {rate['k']} of {rate['n']} ({_interval(rate)})",
        f"最弱的是{title['zh']}：{rate['n']} 次中通过 {rate['k']} 次（{_interval(rate)}）",
    )
    return Finding(_against(LEAST_RATE, [scenario["pass_rate"] for scenario in asked]), words)


def _valid_answers(report: Report) -> Finding:
    """At the highest concurrency of each kind of request."""
    held = [result for result in report["performance"] if result["goodput"]]
    if not held:
        return UNMEASURED
    weakest = min(held, key=lambda result: _share(result["goodput"]))
    rate, kind = weakest["goodput"], weakest["request_type"]
    words = Bilingual(
        f"fewest: {rate['k']} of {rate['n']} ({_interval(rate)}; {say(kind, 'en')})",
        f"最少：{rate['n']} 次中 {rate['k']} 次（{_interval(rate)}；{say(kind, 'zh')}）",
    )
    return Finding(_against(LEAST_RATE, [result["goodput"] for result in held]), words)


def _agreement(report: Report) -> Finding:
    changed = report["agreement"]["changed_under_load"]
    if changed is None:
        return UNMEASURED
    possible = _at_most(changed)
    words = Bilingual(
        f"{changed['k']} of {changed['n']} items change under load; up to {100 * possible:.0f}% may",
        f"{changed['n']} 题中有 {changed['k']} 题在负载下改变；至多可能有 {100 * possible:.0f}%",
    )
    if changed["k"]:
        return Finding("missed", words)
    return Finding("met" if possible <= MOST_CHANGED else "uncertain", words)


def _capacity(report: Report) -> Finding:
    measured = [result for result in report["performance"] if result["max_concurrency"] is not None]
    if not measured:
        return UNMEASURED
    lowest = min(measured, key=lambda result: result["max_concurrency"])
    number, kind = lowest["max_concurrency"], lowest["request_type"]
    at_least = Bilingual("at least ", "至少") if lowest["at_least"] else Bilingual("", "")
    words = Bilingual(
        f"lowest: {at_least}{number} at once ({say(kind, 'en')})",
        f"最低：同时{at_least.zh} {number} 路（{say(kind, 'zh')}）",
    )
    return Finding("met" if number > 0 else "missed", words)


def _made(report: Report) -> list[Mapping[str, Any]]:
    recovery = report["recovery"]
    return [row for row in (recovery["rows"] if recovery else ()) if row["ok"] is not None]


def _comes_back(report: Report) -> Finding:
    rows = _made(report)
    if not rows:
        return UNMEASURED
    gone = [row for row in rows if row["recovered_s"] is None]
    if not gone:
        slowest = max(row["recovered_s"] for row in rows)
        words = Bilingual(f"after each of {len(rows)}, in {slowest:.1f} s at most",
                          f"{len(rows)} 种之后均恢复，最慢 {slowest:.1f} 秒")  # fmt: skip
        return Finding("met", words)
    title = gone[0]["title"]
    return Finding("missed", Bilingual(f"not after: {title['en']}", f"未恢复：{title['zh']}"))


def _comes_through(report: Report) -> Finding:
    rows = _made(report)
    if not rows:
        return UNMEASURED
    bad = [row for row in rows if not row["ok"]]
    words = Bilingual(
        f"{len(rows) - len(bad)} of {len(rows)}" + "".join(f"; not: {row['title']['en']}" for row in bad),
        f"{len(rows)} 种中 {len(rows) - len(bad)} 种"
        + "".join(f"；未通过：{row['title']['zh']}" for row in bad),
    )
    return Finding("missed" if bad else "met", words)


def _asked(report: Report) -> list[Mapping[str, Any]]:
    """The scenarios that have at least one run."""
    return [scenario for scenario in report["scenarios"] if scenario["pass_rate"]["n"]]


def _against(least: float, rates: Sequence[Mapping[str, Any]]) -> Outcome:
    """Missed where one share is smaller, uncertain where one interval reaches below."""
    if any(_share(rate) < least for rate in rates):
        return "missed"
    return "met" if all(rate["low"] >= least for rate in rates) else "uncertain"


def _at_most(rate: Mapping[str, Any]) -> float:
    """The largest share that the count leaves possible; where nothing was seen, by the rule of three."""
    unseen = None if rate["k"] else most_without_failure(rate["n"])
    return float(rate["high"]) if unseen is None else unseen


def _interval(rate: Mapping[str, Any]) -> str:
    return f"{100 * rate['low']:.0f}–{100 * rate['high']:.0f}%"


def _share(rate: Mapping[str, Any]) -> float:
    return float(rate["k"] / rate["n"])


def _words(words: Bilingual) -> dict[str, str]:
    return {"en": str(words), "zh": words.zh}


RULES = (
    Rule("answers", Bilingual("at most 1% of the requests fail", "失败的请求不超过 1%"), True, _errors),
    Rule(
        "comes_back",
        Bilingual("it answers again after every fault", "每种故障之后都能恢复回答"),
        True,
        _comes_back,
    ),
    Rule(
        "capacity",
        Bilingual("at least one stream keeps the objective", "至少一路请求达到性能目标"),
        True,
        _capacity,
    ),
    Rule(
        "floor",
        Bilingual(
            "no scenario is certain to pass less than half of its runs", "没有场景的通过率必定低于一半"
        ),
        True,
        _floor,
    ),
    Rule(
        "pass_rate",
        Bilingual("80% of the runs of each scenario pass", "每个场景至少 80% 的运行通过"),
        False,
        _pass_rates,
    ),
    Rule(
        "valid_answers",
        Bilingual("80% of the answers at the highest concurrency are valid", "最大并发下至少 80% 的回答有效"),
        False,
        _valid_answers,
    ),
    Rule(
        "agreement",
        Bilingual("load changes no answer at temperature 0", "温度 0 时负载不改变任何回答"),
        False,
        _agreement,
    ),
    Rule(
        "faults",
        Bilingual("it does with each fault what a sound endpoint does", "对每种故障都应对得当"),
        False,
        _comes_through,
    ),
)
