"""Test cases that the model wrote: right code passes them, and code with a planted fault does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.checks.extract import has_statements, parse_python, python_code
from wending.assess.checks.registry import check
from wending.assess.checks.verdict import CheckResult
from wending.assess.sandbox import Outcome, SandboxError, run_python

ACCEPT, CATCH = "tests_accept_right", "tests_catch_faults"
MODULE = "solution"
"""The name under which the written tests import the code."""
_NOT_JUDGED = CheckResult(
    CATCH, False, Bilingual("not judged: they do not pass on right code", "未判定：测试在正确代码上未通过")
)


@check("written_tests")
def check_written_tests(
    answer: str, *, right: Sequence[str], wrong: Sequence[Mapping[str, Any]]
) -> list[CheckResult]:
    """Two verdicts on an answer that is a file of pytest tests for the module ``solution``.

    ``right`` are sources that all tests must pass on: the one the prompt shows, and at least one that is
    written differently. ``wrong`` are {"fault": {"en", "zh"}, "code": source}: on each a test must fail.

    Each source is run in a process of its own, and all these processes are alike but for the source, so
    whatever tests claim they claim of right and wrong code alike. That they judge what the code does, and not
    how it is written, is what the second right source is for.
    """
    tests = python_code(answer)
    tree = parse_python(tests)
    if isinstance(tree, str):
        return _not_accepted(Bilingual(tree, tree), "code_does_not_parse")
    if not has_statements(tree):
        return _not_accepted(Bilingual("no code found", "没有找到代码"), "code_does_not_parse")
    try:
        for source in right:
            objection = _objection(source, tests)
            if objection is not None:
                return [objection, _NOT_JUDGED]
        missed = [one["fault"] for one in wrong if _objection(one["code"], tests) is None]
    except SandboxError as error:
        reason = Bilingual(
            f"not judged: the sandbox could not be set up: {error}", f"未判定：沙箱无法建立：{error}"
        )
        return _not_accepted(reason, None)
    accepted = Bilingual(f"pass on {len(right)} right solutions", f"在 {len(right)} 种正确实现上全部通过")
    caught = len(wrong) - len(missed)
    found = Bilingual(
        f"{caught} of {len(wrong)} planted faults caught", f"植入的 {len(wrong)} 处错误发现 {caught} 处"
    )
    if missed:
        english, in_chinese = (
            sep.join(fault[key] for fault in missed) for key, sep in (("en", ", "), ("zh", "、"))
        )
        found += Bilingual(f"; missed: {english}", f"；漏掉：{in_chinese}")
    return [
        CheckResult(ACCEPT, True, accepted),
        CheckResult(CATCH, not missed, found, problem="tests_miss_faults" if missed else None),
    ]


def _not_accepted(reason: str, problem: str | None) -> list[CheckResult]:
    """Tests that say nothing about right code say nothing about wrong code either."""
    return [CheckResult(ACCEPT, False, reason, problem=problem), _NOT_JUDGED]


def _objection(source: str, tests: str) -> CheckResult | None:
    """What the tests have against the code, as it would be held against them if the code were right; None if
    they pass on it. Raises SandboxError."""
    result = run_python(_runner(), [f"run_tests({MODULE!r}, {source!r}, {tests!r})"])
    problem = "tests_reject_right"
    outcome = result.outcomes[0] if result.outcomes else Outcome(error="no result")
    match outcome.value:
        case _ if not result.ok:
            reason = Bilingual(result.reason, chinese(result.reason))
        case {"cases": int(cases), "failed": 0} if cases > 0:
            return None
        case {"cases": 0}:
            reason, problem = Bilingual("there is no test in it", "其中没有任何测试"), "tests_miss_faults"
        case {"cases": int(cases), "failed": int(failed), "failures": [[str(name), str(error)], *_]}:
            reason = Bilingual(
                f"{failed} of {cases} tests fail, first {name}: {error}",
                f"{cases} 项测试有 {failed} 项失败，首项 {name}：{error}",
            )
        case _:
            reason = Bilingual(f"the tests cannot be run: {outcome.error}", f"测试无法运行：{outcome.error}")
    return CheckResult(ACCEPT, False, reason, problem=problem)


@cache
def _runner() -> str:
    return files("wending.assess.sandbox").joinpath("small_pytest.py").read_text("utf-8")
