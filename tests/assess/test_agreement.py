"""Total agreement rates on raw texts and on parsed answers."""

from __future__ import annotations

import pytest
import scipy.stats

from wending.assess.agreement import Agreement, scenario_agreement, tar_answer, tar_raw
from wending.assess.report.sentences import same_answer
from wending.assess.stats import wilson


def test_raw_texts_must_be_equal_to_the_byte() -> None:
    assert tar_raw(["a", "a", "a"]) is True
    assert tar_raw(["a", "a "]) is False


def test_parsed_answers_may_agree_where_texts_differ() -> None:
    assert tar_answer(["5", "5"]) is True
    assert tar_answer(["5", "6", "5"]) is False


def test_an_answer_that_cannot_be_parsed_agrees_with_no_other() -> None:
    assert tar_answer(["5", None]) is False


@pytest.mark.parametrize("answers", [[], ["5"], [None], [None, None]])
def test_where_nothing_can_be_compared_nothing_is_said(answers: list[str | None]) -> None:
    assert tar_answer(answers) is None
    assert tar_raw([]) is None
    assert tar_raw(["a"]) is None


def test_a_scenario_is_the_mean_of_its_items() -> None:
    items = [
        (["x", "x"], ["5", "5"]),
        (["x", "y"], ["5", "5"]),
        (["x", "y"], ["5", "6"]),
        (["x", "y"], ["5", None]),
        (["once"], [None]),
    ]
    assert scenario_agreement(items) == Agreement(
        same_text=1, same_answer=2, items=4, parsed_items=4, unparsed=1
    )


def test_the_same_text_without_an_answer_is_no_disagreement() -> None:
    items = [(["no idea", "no idea"], [None, None])]
    assert scenario_agreement(items) == Agreement(1, 0, 1, 0, 2)
    found = Agreement(1, 0, 1, 0, 2).to_json()
    assert found["tar_answer"] is found["tar_answer_interval"] is None
    assert same_answer({"tar_answer": None, "unparsed": 2}) == {
        "en": "– (2 unparsed)", "zh": "–（2 个无法解析）",
    }  # fmt: skip
    assert same_answer({"tar_answer": 0.8, "unparsed": 0}) == {"en": "80%", "zh": "80%"}


def test_shares_have_the_interval_of_so_many_items() -> None:
    found = Agreement(same_text=1, same_answer=2, items=4, parsed_items=3, unparsed=2).to_json()
    assert (found["items"], found["tar_raw"], found["tar_answer"]) == (4, 0.25, pytest.approx(2 / 3))
    expected = scipy.stats.binomtest(1, 4).proportion_ci(method="wilson")
    assert found["tar_raw_interval"] == pytest.approx([expected.low, expected.high], abs=1e-5)
    assert found["tar_answer_interval"] == pytest.approx(list(wilson(2, 3) or ()), abs=1e-5)


def test_nothing_to_compare() -> None:
    nothing = Agreement(0, 0, 0, 0, 0)
    assert scenario_agreement([]) == scenario_agreement([(["a"], ["a"])]) == nothing
    found = nothing.to_json()
    assert [found[name] for name in ("tar_raw", "tar_raw_interval", "tar_answer")] == [None] * 3
