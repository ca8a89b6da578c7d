"""Sentences and short phrases that a report derives from its figures, for the page and for Markdown alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wending.assess.report.numbers import interval_percent, milliseconds, percent, rate_percent
from wending.assess.report.texts import Pair, pair, same

Report = Mapping[str, Any]


def all_runs(report: Report) -> list[Mapping[str, Any]]:
    return [run for scenario in report["scenarios"] for run in scenario["runs"]]


def title(report: Report) -> Pair:
    model = report["target"]["model"]
    return pair("title", model=pair("no_model") if model is None else model)


def target(report: Report) -> Pair:
    return pair(f"target_{report['target']['kind']}", given=report["target"]["given"])


def summary(report: Report) -> Pair:
    """What a hurried reader takes away: how much passed, the weakest scenario, the most frequent problem."""
    found = _summary(report)
    return {"en": " ".join(words["en"] for words in found), "zh": "".join(words["zh"] for words in found)}


def _summary(report: Report) -> list[Pair]:
    runs = all_runs(report)
    if not runs:
        return [pair("summary_nothing")]
    overall = report["pass_rate"]
    sentences = [
        pair(
            "summary_runs",
            k=overall["k"],
            n=overall["n"],
            percent=rate_percent(overall),
            interval=interval_percent(overall),
        )
    ]
    judged = [scenario for scenario in report["scenarios"] if scenario["pass_rate"]["n"]]
    weakest = min(judged, key=lambda scenario: _share(scenario["pass_rate"]))
    if len(judged) > 1 and _share(weakest["pass_rate"]) < 1:
        rate = weakest["pass_rate"]
        sentences.append(pair("summary_weakest", title=weakest["title"], k=rate["k"], n=rate["n"]))
    problems = report["stability_problems"]
    if not problems:
        return [*sentences, pair("summary_no_problem")]
    worst = max(problems, key=lambda row: _share(row["frequency"]))
    titles = {scenario["id"]: scenario["title"] for scenario in report["scenarios"]}
    frequency = worst["frequency"]
    return [
        *sentences,
        pair(
            "summary_problem",
            title=worst["title"],
            scenario=titles[worst["scenario"]],
            k=frequency["k"],
            n=frequency["n"],
        ),
    ]


def all_of_k(scenario: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """pass^k of the largest k; None for a scenario without a run."""
    return max(scenario["pass_hat_k"], key=lambda found: found["k"], default=None)


def every_k(scenario: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    """pass^k and pass@k by k; the latter None where the report has none."""
    some = {found["k"]: found for found in scenario.get("pass_at_k", ())}
    return [(found, some.get(found["k"])) for found in scenario["pass_hat_k"]]


def json_conditions(scenario: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(key of the title, pass rate, four rates) without a schema in the request, and with it if one was."""
    found = [("json_without", scenario["pass_rate"], scenario["json_rates"])]
    with_schema = scenario["response_format"]
    if with_schema is not None and with_schema["json_rates"] is not None:
        found.append(("json_with", with_schema["pass_rate"], with_schema["json_rates"]))
    return found


def response_format(scenario: Mapping[str, Any], repeats: int) -> list[Pair]:
    """What must be said of the runs with a schema in the request."""
    found = scenario["response_format"]
    if found is None:
        return []
    if not found["offered"]:
        return [pair("response_format_not_offered", reason=found["reason"])]
    notes = [pair("response_format_note", repeats=repeats)]
    if found["reason"] is not None:
        notes.append(pair("response_format_unanswered", reason=found["reason"]))
    return notes


def same_answer(agreement: Mapping[str, Any]) -> Pair:
    """The share of items whose answers agree, and how many could not be parsed: "80% (3 unparsed)"."""
    share, unparsed = percent(agreement["tar_answer"]), agreement.get("unparsed")
    return pair("unparsed", share=share, n=unparsed) if unparsed else same(share)


def concurrency(result: Mapping[str, Any]) -> Pair:
    """The highest concurrency and what it rests on: "12 (held 3/3; 14 failed on TTFT)", "at least 64 (…)".

    Also how many of its measurements were steady, where not all were.
    """
    found = result["max_concurrency"]
    if found is None:
        return same("–")
    number = pair("at_least", n=found) if result["at_least"] else same(str(found))
    basis = []
    if found:
        made = result["confirmations"]
        basis.append(
            pair("held_of", k=made["held"], n=made["made"]) if made and made["made"] else pair("unconfirmed")
        )
    steady = result.get("steady")
    if steady and steady["steady"] < steady["measured"]:
        basis.append(pair("steady_of", k=steady["steady"], n=steady["measured"]))
    valid = result["goodput"]
    if valid and valid["k"] < valid["n"]:
        basis.append(pair("valid_here", share=rate_percent(valid)))
    failed = _failed_level(result)
    if failed is not None:
        missed = [pair(f"missed_{key}") for key in failed["missed"]]
        on = {language: ", ".join(words[language] for words in missed) for language in ("en", "zh")}
        basis.append(pair("failed_on", n=failed["concurrency"], missed=on))
    if not basis:
        return number
    return {
        "en": f"{number['en']} ({'; '.join(words['en'] for words in basis)})",
        "zh": f"{number['zh']}（{'；'.join(words['zh'] for words in basis)}）",
    }


def _failed_level(result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The lowest level that did not keep the objective."""
    levels = [level for level in result["levels"] if not level["held"]]
    return min(levels, key=lambda level: level["concurrency"], default=None)


def stop_reason(result: Mapping[str, Any], cap: int) -> Pair:
    """Why the search for the highest concurrency ended."""
    nothing = result["max_concurrency"] is None
    if nothing and not result["invalid_levels"]:
        return pair("stop_none")
    if nothing or result["stopped_by"] == "generator":
        invalid = result["invalid_levels"][-1]
        return pair("stop_generator", n=invalid["concurrency"], reason=in_both(invalid, "reason"))
    failed = _failed_level(result)
    if failed is None:
        key = "stop_cap" if result["stopped_by"] == "cap" else "stop_time"
        return pair(key, cap=cap, n=result["max_concurrency"])
    key = "stop_time_bracket" if result["stopped_by"] == "time" else "stop_failed"
    return pair(key, failed=failed["concurrency"], reason=in_both(failed, "reason"))


def goodput(result: Mapping[str, Any]) -> Pair | None:
    """How many of the answers at the highest concurrency were valid."""
    found = result["goodput"]
    return found and pair("goodput", k=found["k"], n=found["n"], interval=interval_percent(found))


def generator(report: Report) -> Pair | None:
    """What the load generator itself adds to the times; None where it was not measured."""
    found = report["load_generator"]
    if found is None:
        return None
    sustained = found["sustained_streams_per_process"]
    return pair(
        "generator",
        p50=milliseconds(found["error_p50_s"]),
        p99=milliseconds(found["error_p99_s"]),
        events=found["events"],
        streams=found["streams"],
        rate=found["events_per_s"],
        sustained=pair("at_least", n=sustained) if found["at_least"] else same(str(sustained)),
    )


def objective(report: Report) -> Pair:
    wanted = report["settings"]["objective"]
    share = wanted["min_valid_share"]
    return pair(
        "objective",
        valid=pair("valid_as_alone") if share is None else pair("valid_share", share=percent(share)),
        ttft=wanted["max_ttft_s"],
        speed=wanted["min_tokens_per_s"],
        errors=percent(wanted["max_error_rate"]),
    )


def reason_of(run: Mapping[str, Any]) -> Pair | None:
    """Why a run did not pass: its error, or the reasons of the checks that failed; None for a run
    that passed.
    """
    if run["error"] is not None:
        return in_both(run, "error")
    failed = [check for check in run["checks"] if not check["pass"] and not check["informative"]]
    # A check that failed only because another one did names no problem of its own.
    failed = [check for check in failed if check["problem"] is not None] or failed
    if not failed:
        return None
    return {
        "en": "\n".join(f"{check['name']}: {check['reason']}" for check in failed),
        "zh": "\n".join(f"{check['name']}：{check['reason_zh']}" for check in failed),
    }


def first_line(words: Pair) -> Pair:
    return {language: text.split("\n")[0] for language, text in words.items()}


def in_both(found: Mapping[str, Any], field: str) -> Pair:
    """A field of report.json and its Chinese twin."""
    return {"en": found[field], "zh": found[f"{field}_zh"]}


def _share(rate: Mapping[str, Any]) -> float:
    return float(rate["k"] / rate["n"]) if rate["n"] else 0.0


def measured(results: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The request types of which at least one request was measured."""
    return [result for result in results if result["ttft_s"]["n"]]
