"""Registering checks and validating what data files ask of them; no check may raise, whatever the answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wending.assess.bilingual import Bilingual
from wending.assess.checks import CheckResult, check, run_check, run_passes, validate
from wending.assess.problems import PROBLEMS
from wending.assess.scenarios import load_scenarios

ITEMS = [item for scenario in load_scenarios() for item in scenario.items]
# Unit tests start a process each time; their own tests cover odd answers.
SPECS = {repr(spec): spec for item in ITEMS for spec in item.checks if spec.name != "unit_tests"}


def test_a_new_check_is_one_decorated_function() -> None:
    @check("mentions_for_test")
    def mentions(answer: str, *, word: str) -> CheckResult:
        return CheckResult("mentions_for_test", word in answer, f"{answer.count(word)} times {word!r}")

    validate("mentions_for_test", {"word": "tea"})
    assert run_check("mentions_for_test", "tea, tea", {"word": "tea"}) == [
        CheckResult("mentions_for_test", True, "2 times 'tea'")
    ]
    with pytest.raises(ValueError, match="registered already"):
        check("mentions_for_test")(mentions)


def test_validation_names_what_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"unknown check 'no_such'; there are: .*final_number"):
        validate("no_such", {})
    with pytest.raises(ValueError, match=r"check 'final_number': .*'tolerence'"):
        validate("final_number", {"expected": "1", "tolerence": 1})
    with pytest.raises(ValueError, match=r"check 'final_number': missing .*'expected'"):
        validate("final_number", {})


def test_a_run_passes_when_all_decisive_checks_do() -> None:
    good, bad = CheckResult("a", True, ""), CheckResult("b", False, "")
    assert run_passes([good])
    assert not run_passes([good, bad])
    assert run_passes([good, CheckResult("c", False, "", informative=True)])


SNIPPETS = st.sampled_from(
    [
        "```",
        "```python\n",
        "{",
        "[",
        "]",
        ",",
        '"',
        "\n",
        "def f(",
        "    return x",
        "@app.post(",
        "Answer:",
        "答案：",
        "1/0",
        "\\boxed{",
        "亲，",
        "— Captain Lin",
        "9" * 5000,
        "\0",
        "\ud800",
        "١",
        "½",
        '{"id": 1,}',
        "class A(BaseModel):\n    x: int = Field(gt=",
        "re.search('[', x)",
    ]
)
ANSWERS = st.lists(SNIPPETS | st.text(max_size=20), max_size=12).map("".join)


@settings(max_examples=30, deadline=None)
@given(answer=ANSWERS)
def test_no_check_raises_and_every_failure_is_explained(answer: str) -> None:
    for spec in SPECS.values():
        for result in run_check(spec.name, answer, spec.expectation):
            assert result.reason
            assert result.passed or isinstance(result.reason, Bilingual)
            assert not (result.passed and result.problem)
            assert result.problem is None or result.problem in PROBLEMS
    for item in ITEMS:
        item.answer_of(answer)
