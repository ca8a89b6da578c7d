# ruff: noqa: E501 - suites are written on one line each
"""Test suites that a model might write: honest, empty, always true, always false, and such as cheat."""

from __future__ import annotations

from typing import Any

import pytest

from wending.assess.checks import CheckResult, run_check, run_passes

SHOWN = (
    "def share(total, people):\n    if people < 1:\n        raise ValueError('nobody')\n"
    "    return total // people\n"
)
OTHER = (
    "def share(total, people):\n    if not people >= 1:\n        raise ValueError('nobody')\n"
    "    return divmod(total, people)[0]\n"
)
ROUNDS_UP = SHOWN.replace("total // people", "-(-total // people)")
NO_ERROR = "def share(total, people):\n    return total // max(people, 1)\n"
EXPECTATION: dict[str, Any] = {
    "right": [SHOWN, OTHER],
    "wrong": [
        {"fault": {"en": "rounds up", "zh": "向上取整"}, "code": ROUNDS_UP},
        {"fault": {"en": "no error", "zh": "不报错"}, "code": NO_ERROR},
    ],
}
HONEST = (
    "import pytest\nfrom solution import share\n\ndef test_share():\n    assert share(7, 2) == 3\n\n"
    "def test_nobody():\n    with pytest.raises(ValueError):\n        share(7, 0)\n"
)


def verdicts(answer: str) -> tuple[CheckResult, CheckResult]:
    accepted, caught = run_check("written_tests", answer, EXPECTATION)
    return accepted, caught


@pytest.mark.parametrize(
    "answer", [HONEST, f"```python\n{HONEST}```", f"Here it is:\n```python\n{HONEST}```\nDone."]
)
def test_an_honest_suite_passes(answer: str) -> None:
    accepted, caught = verdicts(answer)
    assert run_passes([accepted, caught])
    assert accepted.reason == "pass on 2 right solutions"
    assert caught.reason == "2 of 2 planted faults caught"


@pytest.mark.parametrize(
    ("answer", "problem", "reason"),
    [
        ("", "code_does_not_parse", "no code found"),
        ("I would test the edges.", "code_does_not_parse", ""),
        ("def test_share(:\n    pass", "code_does_not_parse", ""),
        ("import pytest\nfrom solution import share\n", "tests_miss_faults", "there is no test in it"),
        ("def test_no():\n    assert False\n", "tests_reject_right", "1 of 1 tests fail, first test_no: AssertionError"),
        (HONEST.replace("== 3", "== 4"), "tests_reject_right", "1 of 2 tests fail, first test_share: AssertionError"),
        (HONEST.replace("from solution", "from shop"), "tests_reject_right", "No module named 'shop'"),
        ("raise SystemExit(0)\n" + HONEST, "tests_reject_right", "the tests cannot be run: SystemExit: 0"),
        ("async def test_share():\n    pass\n", "tests_reject_right", "a test is a plain function"),
    ],
)  # fmt: skip
def test_what_is_wrong_on_right_code(answer: str, problem: str, reason: str) -> None:
    accepted, caught = verdicts(answer)
    assert not accepted.passed
    assert accepted.problem == problem
    assert reason in accepted.reason
    assert not caught.passed
    assert caught.problem is None


@pytest.mark.parametrize(
    ("answer", "missed"),
    [
        ("def test_yes():\n    pass\n", "0 of 2 planted faults caught; missed: rounds up, no error"),
        (HONEST.partition("def test_nobody")[0], "1 of 2 planted faults caught; missed: no error"),
        (HONEST.replace("share(7, 2) == 3", "share(8, 2) == 4"), "1 of 2 planted faults caught; missed: rounds up"),
        # A copy of its own in place of the module.
        (f"{HONEST}\n{SHOWN}", "0 of 2 planted faults caught; missed: rounds up, no error"),
        ("from solution import share\ndef test_any():\n    try:\n        assert share(7, 2) == 3\n    except BaseException:\n        pass\n",
         "0 of 2 planted faults caught; missed: rounds up, no error"),
    ],
)  # fmt: skip
def test_what_is_missed(answer: str, missed: str) -> None:
    accepted, caught = verdicts(answer)
    assert accepted.passed
    assert not caught.passed
    assert caught.problem == "tests_miss_faults"
    assert caught.reason == missed


PASSED = '{"value": {"cases": 1, "failed": 0, "failures": []}}'
CHEATS = {
    "ends the process": "import os\nos._exit(0)\n",
    "claims to have passed": f"import os\nfor pipe in range(3, 30):\n    try:\n        os.write(pipe, b'{PASSED}\\n')\n    except OSError:\n        pass\nos._exit(0)\n",
    "claims to have passed, then fails": f"import os\nfor pipe in range(3, 30):\n    try:\n        os.write(pipe, b'{PASSED}\\n')\n    except OSError:\n        pass\ndef test_no():\n    assert False\n",
    "replaces the runner": "import pytest\npytest._collect = lambda names: [('x', lambda: None)]\n",
    "replaces the runner's result": "import sys\nsys._getframe(2).f_globals['json'].dumps = lambda *a, **k: '{\"value\": {\"cases\": 1, \"failed\": 0}}'\ndef test_x():\n    pass\n",
    "equals everything": "class Any:\n    def __eq__(self, other):\n        return True\nfrom solution import share\ndef test_x():\n    assert Any() == share(7, 2)\n",
    "compares the code with what the prompt showed": f"from solution import share\nshown = {{}}\nexec({SHOWN!r}, shown)\ndef test_x():\n    assert share.__code__.co_code == shown['share'].__code__.co_code\n",
    "reads the source from the runner's frame": f"import sys\nframe = sys._getframe()\nwhile frame and 'code' not in frame.f_locals:\n    frame = frame.f_back\nsource = frame.f_locals['code'] if frame else ''\ndef test_x():\n    assert source == {SHOWN!r}\n",
    "remembers the first run": "import pathlib, tempfile\nplaces = [pathlib.Path('seen'), pathlib.Path(tempfile.gettempdir()) / 'wending-seen']\nfirst = not any(place.exists() for place in places)\nfor place in places:\n    try:\n        place.write_text('x')\n    except OSError:\n        pass\ndef test_x():\n    assert first\n",
}  # fmt: skip


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_suite_cannot_claim_to_be_good(cheat: str) -> None:
    assert not run_passes(verdicts(CHEATS[cheat]))
