"""Whether what was assessed holds, by rules that are stated and can be checked by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wending.assess.bilingual import Bilingual
from wending.assess.wording import say

Report = Mapping[str, Any]
Level = Literal["holds", "holds_with_conditions", "does_not_hold", "undecided"]
Outcome = Literal["met", "uncertain", "missed", "unmeasured"]

LEAST_PASS_RATE = 0.8
MOST_ERRORS = 0.01

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
    runs = [run for scenario in report["scenarios"] for run in scenario["runs"]]
    if not runs:
        return UNMEASURED
    failed = sum(run["error"] is not None for run in runs)
    words = Bilingual(f"{failed} of {len(runs)} runs failed", f"{len(runs)} 次运行中失败 {failed} 次")
    return Finding("met" if failed <= MOST_ERRORS * len(runs) else "missed", words)


def _pass_rates(report: Report) -> Finding:
    asked = [scenario for scenario in report["scenarios"] if scenario["pass_rate"]["n"]]
    if not asked:
        return UNMEASURED
    weakest = min(asked, key=lambda scenario: _share(scenario["pass_rate"]))
    rate, title = weakest["pass_rate"], weakest["title"]
    low, high = 100 * rate["low"], 100 * rate["high"]
    words = Bilingual(
        f"the weakest is {title['en']}: {rate['k']} of {rate['n']} ({low:.0f}–{high:.0f}%)",
        f"最弱的是{title['zh']}：{rate['n']} 次中通过 {rate['k']} 次（{low:.0f}–{high:.0f}%）",
    )
    if _share(rate) < LEAST_PASS_RATE:
        return Finding("missed", words)
    certain = all(scenario["pass_rate"]["low"] >= LEAST_PASS_RATE for scenario in asked)
    return Finding("met" if certain else "uncertain", words)


def _agreement(report: Report) -> Finding:
    changed = report["agreement"]["changed_under_load"]
    if changed is None:
        return UNMEASURED
    words = Bilingual(
        f"{changed['k']} of {changed['n']} items change under load",
        f"{changed['n']} 题中有 {changed['k']} 题在负载下改变",
    )
    return Finding("missed" if changed["k"] else "met", words)


def _capacity(report: Report) -> Finding:
    measured = [result for result in report["performance"] if result["max_concurrency"] is not None]
    if not measured:
        return UNMEASURED
    lowest = min(measured, key=lambda result: result["max_concurrency"])
    kind = lowest["request_type"]
    words = Bilingual(
        f"lowest: {lowest['max_concurrency']} at once ({say(kind, 'en')})",
        f"最低：同时 {lowest['max_concurrency']} 路（{say(kind, 'zh')}）",
    )
    return Finding("met" if lowest["max_concurrency"] > 0 else "missed", words)


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
        "pass_rate",
        Bilingual("80% of the runs of each scenario pass", "每个场景至少 80% 的运行通过"),
        False,
        _pass_rates,
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
