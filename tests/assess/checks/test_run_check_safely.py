"""A check that fails itself is a failed check, and no end of the assessment."""

from __future__ import annotations

import orjson
import pytest

from wending.assess.bilingual import chinese
from wending.assess.checks import CheckResult, check
from wending.assess.run_record import RunRecord
from wending.assess.scenarios import CheckSpec, Item, judge

SCHEMA = {"type": "array", "items": {"type": "object", "additionalProperties": False}}


@check("a_check_with_a_mistake")
def check_with_a_mistake(answer: str) -> CheckResult:
    raise KeyError(f"no {answer!r} \ud800")


@check("a_check_that_quotes")
def check_that_quotes(answer: str) -> CheckResult:
    return CheckResult("a_check_that_quotes", True, f"found {answer} \udfff")


@check("a_check_without_a_result")
def check_without_a_result(answer: str) -> CheckResult:
    return None  # type: ignore[return-value]


def judged(name: str, answer: str, **expectation: object) -> list[CheckResult]:
    messages = ({"role": "user", "content": "?"},)
    results = judge(Item("one", "en", messages, (CheckSpec(name, expectation),), "text", 9), [answer])
    # Whatever a check says can be stored.
    orjson.dumps(RunRecord("own", "one", 1, 1, False, tuple(results), (answer,)).to_json())
    return results


@pytest.mark.parametrize(
    ("name", "what"), [("a_check_with_a_mistake", "KeyError"), ("a_check_without_a_result", "AttributeError")]
)
def test_a_mistake_of_a_check_is_a_failed_check_with_its_reason(name: str, what: str) -> None:
    [result] = judged(name, "tea")
    assert (result.name, result.passed, result.problem) == (name, False, "not_judged")
    assert result.reason.startswith(f"not judged: the check failed with {what}")
    assert what in chinese(result.reason) != result.reason


def test_a_reason_that_no_file_can_hold_is_written_out() -> None:
    [result] = judged("a_check_that_quotes", "tea")
    assert (result.passed, result.reason) == (True, "found tea \\udfff")


def test_half_of_a_surrogate_pair_is_no_json_that_can_be_used() -> None:
    results = {
        result.name: result for result in judged("json", '[{"name": "\\ud83d"}]', schema=SCHEMA, values={})
    }
    assert results["json_parses"].problem == "broken_json"
    assert "\\ud83d" in results["json_parses"].reason
    whole = {
        result.name: result.passed
        for result in judged("json", '[{"name": "\\ud83d\\ude00"}]', schema={"type": "array"}, values={})
    }
    assert all(whole.values())
