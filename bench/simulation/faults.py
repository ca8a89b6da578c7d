"""Each fault that a script can plant, alone: does the report name it, and nothing else?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

from bench.simulation import agreement, short_soak
from bench.simulation.assessing import assess
from bench.simulation.right_answers import TEXTS, known, known_scenarios

from wending.assess.scripted import Script
from wending.assess.scripted.script import Capacity, Failures, UnderLoad

ITEMS = 12
REPEATS = 3
SOAK_S = 8.0
SOAKED = Script(ttft_s=0.2, token_s=0.01, tokens=4)


@dataclass(frozen=True, slots=True)
class Named:
    """`expected`: what should be said; `said`: what the report says, with an example. `is_named` if all of
    the expected is said, and nothing that is not."""

    fault: str
    expected: tuple[str, ...]
    said: tuple[str, ...]
    example: str
    is_named: bool


Check = Callable[[], Awaitable[Named]]


def checks(seed: int) -> list[Check]:
    """One assessment, or one soak, for each."""
    failures = (
        ("none", Failures(), (), ""),
        ("HTTP 500", Failures(http_error=0.1), ("server_error",), "HTTP 500"),
        ("an error inside the stream", Failures(error_event=0.1), ("server_error",), "inside the stream"),
        ("HTTP 429", Failures(too_many_requests=0.1), ("too_many_requests",), "HTTP 429"),
        ("HTTP 400", Failures(bad_request=0.1), ("request_refused",), "HTTP 400"),
        ("connection reset", Failures(reset=0.1), ("connection_reset",), "before any answer"),
        ("connection cut in mid-answer", Failures(cut_off=0.1), ("cut_off",), "in the middle of an answer"),
        ("stream without an end", Failures(no_end=0.1), ("cut_off",), "without a finish_reason"),
        ("no byte ever", Failures(hang=0.03), ("timeout",), "did not answer in time"),
        ("stall in mid-answer", Failures(stall=0.03), ("timeout",), "went silent after"),
        ("an event that is not JSON", Failures(bad_event=0.1), ("protocol_error",), "not JSON"),
        ("half of the answer, at the limit", Failures(truncated=0.3), ("truncated",), "ends with"),
        ("no text", Failures(empty=0.3), ("empty_answer",), "no text"),
        ("broken JSON", Failures(broken_json=0.3), ("broken_json",), "line"),
        ("a date that no calendar has", Failures(wrong_date=0.7), ("wrong_date",), "no date of the calendar"),
        ("a date with slashes", Failures(date_format=0.7), ("wrong_date",), "not written YYYY-MM-DD"),
        ("role forgotten", Failures(wrong_role=0.3), ("role_forgotten",), ""),
    )
    return [
        *(partial(_failure, seed, *one) for one in failures),
        partial(_wrong_numbers, seed),
        partial(_changed_under_load, seed),
        partial(_soaked, "no fault, soaked", SOAKED, ""),
        partial(_soaked, "memory leak", replaced(leak_bytes=300_000), "Memory rises by"),
        partial(_soaked, "slower and slower", replaced(drift_s_per_hour=60.0), "Median TTFT rises by"),
        partial(_soaked, "crashes", replaced(crash_after_s=3.0), "The server or its engine ended"),
        partial(_soaked, "silence", replaced(ttft_s=1.5), "stalls"),
        partial(_soaked, "refusals", replaced(capacity=Capacity(2, "refuse")), "HTTP 429"),
        partial(_soaked, "other answers under load", replaced(under_load=UnderLoad(1)), "Canaries differed"),
    ]


def replaced(**fields: Any) -> Script:
    """The script of the soaks with other fields."""
    return Script(**{"ttft_s": SOAKED.ttft_s, "token_s": SOAKED.token_s, "tokens": SOAKED.tokens, **fields})


async def _failure(
    seed: int, fault: str, failures: Failures, expected: tuple[str, ...], example: str
) -> Named:
    report = await _assessed(seed, failures, 0)
    rows = report["stability_problems"]
    said = tuple(dict.fromkeys(row["type"] for row in rows))
    # An assistant that forgot its role may also speak another language or say what it must not.
    also = {"wrong_language", "forbidden_content", "constraint_broken", "missing_steps", "missing_terms"}
    examples = [row["example"] for row in rows if row["type"] in expected]
    others = set(said) - set(expected) - (also if "role_forgotten" in expected else set())
    named = set(expected) <= set(said) and not others and any(example in one for one in examples or [example])
    return Named(fault, expected, said, examples[0] if examples else "", named)


async def _wrong_numbers(seed: int) -> Named:
    expected = ("wrong_answer", "unstable_answer")
    report = await _assessed(seed, Failures(), TEXTS // 4, only="math_reasoning")
    rows = report["stability_problems"]
    said = tuple(dict.fromkeys(row["type"] for row in rows))
    return Named(
        "a wrong number now and then", expected, said, rows[0]["example"], set(said) == set(expected)
    )


async def _assessed(
    seed: int, failures: Failures, wrong_texts: int, only: str | None = None
) -> dict[str, Any]:
    """All but code, whose sandbox takes long."""
    random = Random(seed)
    scenarios = [
        replace(scenario, items=tuple(random.sample(scenario.items, min(ITEMS, len(scenario.items)))))
        for scenario in known_scenarios()
        if scenario.id != "code_completion" and only in (None, scenario.id)
    ]
    answers = [
        answer for one in scenarios for item in one.items for answer in known(item).script(wrong_texts)
    ]
    script = Script(seed=seed, tokens=4, answers=tuple(answers), failures=failures)
    return (await assess(script, scenarios, seed, repeats=REPEATS)).to_json()


async def _changed_under_load(seed: int) -> Named:
    compared = await agreement.compare(0.5, Random(seed), ITEMS)
    said = f"{compared.changed} of {ITEMS} items change under load"
    expected = ("changed_under_load",)
    return Named(
        "other answers in a crowd", expected, expected if compared.changed else (), said, compared.changed > 0
    )


async def _soaked(fault: str, script: Script, words: str) -> Named:
    soaked = await short_soak.soak(script, SOAK_S)
    found = [one for one in soaked.found if words and words in one]
    # Crashes and refusals also cost requests and canaries, and their starts are silent.
    alone = fault in ("crashes", "refusals", "silence") or len(soaked.found) == len(found)
    is_named = alone and bool(found) == bool(words)
    if fault == "crashes":
        # Each start was followed by a crash; the last one may still have been to come.
        is_named = is_named and soaked.starts - soaked.report["crashes"]["n"] in (0, 1)
    said = tuple(one.split(";")[0].split(":")[0] for one in soaked.found if "requests failed" not in one)
    said += tuple(one for one in soaked.found if "requests failed" in one)  # with what they failed of
    return Named(fault, (words,) if words else (), said, found[0] if found else "", is_named)
