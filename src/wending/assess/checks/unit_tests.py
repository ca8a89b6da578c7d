"""Hidden unit tests, executed in the sandbox."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.checks.extract import has_statements, parse_python, payload, python_code
from wending.assess.checks.registry import check
from wending.assess.checks.syntax import functions
from wending.assess.checks.verdict import CheckResult
from wending.assess.sandbox import Outcome, SandboxError, run_python


@check("unit_tests")
def check_unit_tests(answer: str, *, signature: str, tests: Sequence[Mapping[str, Any]]) -> CheckResult:
    """The answer's code passes all ``tests``.

    Each is {"call": expression, "expected": JSON value} or {"call": expression, "raises": name of exception}.
    ``signature`` is the head the prompt gave ("def name(...):", imports and docstring included): an answer
    may repeat the function as a whole or only continue it.
    """
    code = complete_function(answer, signature)
    if code is None:
        return CheckResult("unit_tests", False, _why_not(answer), problem="code_does_not_parse")
    try:
        result = run_python(code, [test["call"] for test in tests])
    except SandboxError as error:
        not_judged = Bilingual(
            f"not judged: the sandbox could not be set up: {error}", f"未判定：沙箱无法建立：{error}"
        )
        return CheckResult("unit_tests", False, not_judged)
    failures = [
        Bilingual(
            f"; {test['call']} {found}, expected {_expectation(test)}",
            f"；{test['call']} {chinese(found)}，应为 {_expectation(test)}",
        )
        for test, outcome in zip(tests, result.outcomes, strict=False)
        if (found := _mismatch(test, outcome)) is not None
    ]
    passed = len(result.outcomes) - len(failures)
    reason = Bilingual(f"{passed} of {len(tests)} tests passed", f"{len(tests)} 项测试通过 {passed} 项")
    if failures:
        reason += failures[0]
    elif not result.ok:
        reason += Bilingual(f"; {result.reason}", f"；{chinese(result.reason)}")
    right = result.ok and passed == len(tests)
    return CheckResult("unit_tests", right, reason, problem=None if right else "code_fails_tests")


def complete_function(answer: str, signature: str) -> str | None:
    """Code that defines the function: the answer, or ``signature`` continued by it; None if neither does."""
    head = signature.rstrip()
    wanted = head[head.rindex("def ") + 4 :].split("(", 1)[0].strip()
    code = python_code(answer)
    if _defines(code, wanted):
        imports = [line for line in head.splitlines() if line.startswith(("import ", "from "))]
        return "\n".join([*imports, code])
    body = payload(answer)
    if not body.strip() or re.search(r"^(?:async )?def ", body, re.MULTILINE):
        return None
    continuation = body if body.startswith((" ", "\t")) else textwrap.indent(body, "    ")
    candidate = f"{head}\n{continuation}"
    return candidate if _defines(candidate, wanted) else None


def _defines(code: str, name: str) -> bool:
    tree = parse_python(code)
    return not isinstance(tree, str) and any(function.name == name for function in functions(tree))


def _why_not(answer: str) -> Bilingual:
    tree = parse_python(python_code(answer))
    if isinstance(tree, str):
        return Bilingual(tree, tree)
    if has_statements(tree):
        return Bilingual("the function is not defined", "没有定义该函数")
    return Bilingual("no code found", "没有找到代码")


def _mismatch(test: Mapping[str, Any], outcome: Outcome) -> Bilingual | None:
    """What came instead of the expectation; None when it is met."""
    if "raises" in test:
        met = outcome.error is not None and outcome.error.split(":")[0] == test["raises"]
    else:
        met = outcome.error is None and outcome.value == test["expected"]
    if met:
        return None
    if outcome.error is not None:
        return Bilingual(f"raised {outcome.error}", f"抛出 {outcome.error}")
    value = str(outcome.value)[:60]
    return Bilingual(f"gave {value!r}", f"返回 {value!r}")


def _expectation(test: Mapping[str, Any]) -> str:
    return str(test["raises"]) if "raises" in test else repr(test["expected"])
