"""Hidden unit tests: whole functions, continuations, wrong code, and code that tries to cheat."""

from __future__ import annotations

from typing import Any

import pytest

from wending.assess.checks import CheckResult, run_check
from wending.assess.checks.unit_tests import complete_function
from wending.assess.scenarios import load_scenarios

SIGNATURE = (
    'import re\n\n\ndef is_palindrome(s: str) -> bool:\n    """Ignore case and non-alphanumerics."""\n'
)
RIGHT = (
    "def is_palindrome(s: str) -> bool:\n    kept = [c.lower() for c in s if c.isalnum()]\n"
    "    return kept == kept[::-1]\n"
)


def expectation() -> dict[str, Any]:
    [scenario] = load_scenarios(["code_completion"])
    return dict(scenario.items[0].checks[0].expectation)


def verdict(answer: str) -> CheckResult:
    [result] = run_check("unit_tests", answer, expectation())
    return result


@pytest.mark.parametrize(
    "answer",
    [
        RIGHT,
        f"```python\n{RIGHT}```",
        f"Here you are:\n\n```python\n{RIGHT}```\nIt compares both directions.",
        f"{RIGHT}\n\nif __name__ == '__main__':\n    print(is_palindrome(input()))\n",
        "import re\n\ndef is_palindrome(s):\n    t = re.sub(r'[^a-z0-9]', '', s.lower())\n"
        "    return t == t[::-1]",
        "    kept = [c.lower() for c in s if c.isalnum()]\n    return kept == kept[::-1]",
        "kept = [c.lower() for c in s if c.isalnum()]\nreturn kept == kept[::-1]",
        "```python\n    kept = [c.lower() for c in s if c.isalnum()]\n    return kept == kept[::-1]\n```",
    ],
)
def test_whole_functions_and_continuations_pass(answer: str) -> None:
    result = verdict(answer)
    assert result.passed, result.reason
    assert result.reason == "8 of 8 tests passed"


def test_imports_of_the_signature_are_kept() -> None:
    code = complete_function("def is_palindrome(s):\n    return bool(re.match('', s))", SIGNATURE)
    assert code is not None
    assert code.startswith("import re\n")


def test_wrong_code_fails_with_the_first_failing_case() -> None:
    result = verdict("def is_palindrome(s):\n    return s.lower() == s[::-1].lower()\n")
    assert not result.passed
    assert result.problem == "code_fails_tests"
    assert result.reason.startswith(
        "6 of 8 tests passed; is_palindrome('Was it a car, or a cat I saw?') gave 'False'"
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("def is_palindrome(s):\n    return undefined", "raised NameError"),
        ("def is_palindrome(s):\n    while True:\n        pass", "of 8 tests passed; "),
        ("import os\nos._exit(0)\n" + RIGHT, "0 of 8 tests passed; ended with status 0"),
        ("import sys\n" + RIGHT + "sys.exit(0)\n", "0 of 8 tests passed; the code raised SystemExit"),
        ("import no_such_module\n" + RIGHT, "the code raised ModuleNotFoundError"),
        ("def is_palindrome(s):\n    return None", "gave 'None'"),
    ],
)
def test_failures_say_what_happened(answer: str, reason: str) -> None:
    result = verdict(answer)
    assert not result.passed
    assert reason in result.reason
    assert result.problem == "code_fails_tests"


CHEATS = {
    "always equal": (
        "class Anything:\n    def __eq__(self, other):\n        return True\n    def __hash__(self):\n"
        "        return 1\n"
        "def is_palindrome(s):\n    return Anything()\n"
    ),
    "bool that lies": (
        "class Lie(int):\n    def __repr__(self):\n        return 'True'\n    def __eq__(self, other):\n"
        "        return True\n"
        "def is_palindrome(s):\n    return Lie(7)\n"
    ),
    "writes results itself": (
        "import os\nfor fd in range(3, 30):\n    try:\n"
        "        os.write(fd, b'{\"value\": true}\\n' * 8)\n    except OSError:\n        pass\n"
        "def is_palindrome(s):\n    return 3\nos._exit(0)\n"
    ),
    "patches json": (
        "import json\njson.dumps = lambda *a, **k: 'true'\ndef is_palindrome(s):\n    return 'x'\n"
    ),
    "looks for the expectations": (
        "import sys\ndef is_palindrome(s):\n    frame = sys._getframe()\n    while frame:\n"
        "        for value in frame.f_locals.values():\n"
        "            if isinstance(value, dict) and 'expected' in value:\n"
        "                return value['expected']\n"
        "        frame = frame.f_back\n    return 'nothing found'\n"
    ),
    "prints success": "print('8 of 8 tests passed')\ndef is_palindrome(s):\n    return 'ok'\n",
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_code_cannot_claim_to_have_passed(cheat: str) -> None:
    result = verdict(CHEATS[cheat])
    assert not result.passed, result.reason


@pytest.mark.parametrize(
    "answer", ["", "I cannot do that.", "def is_palindrome(s:\n    return", "def other(s):\n    return 1"]
)
def test_without_the_function_there_is_nothing_to_test(answer: str) -> None:
    result = verdict(answer)
    assert not result.passed
    assert result.problem == "code_does_not_parse"


def test_an_expected_exception() -> None:
    tests = {
        "signature": "def f(n):",
        "tests": [{"call": "f(-1)", "raises": "ValueError"}, {"call": "f(1)", "expected": [1]}],
    }
    right = "def f(n):\n    if n < 0:\n        raise ValueError('negative')\n    return (n,)\n"
    assert run_check("unit_tests", right, tests)[0].passed
    [result] = run_check("unit_tests", "def f(n):\n    return [n]\n", tests)
    assert result.reason == "1 of 2 tests passed; f(-1) gave '[-1]', expected ValueError"
