"""Total agreement rates on raw texts and on parsed answers."""

from __future__ import annotations

import pytest
import scipy.stats

from wending.assess.agreement import Agreement, scenario_agreement, tar_answer, tar_raw
from wending.assess.stats import wilson


def test_raw_texts_must_be_equal_to_the_byte() -> None:
    assert tar_raw(["a", "a", "a"]) is True
    assert tar_raw(["a", "a "]) is False


def test_parsed_answers_may_agree_where_texts_differ() -> None:
    assert tar_answer(["5", "5"]) is True
    assert tar_answer(["5", "6", "5"]) is False


@pytest.mark.parametrize("answers", [[None, None], ["5", None]])
def test_no_answer_agrees_with_nothing(answers: list[str | None]) -> None:
    assert tar_answer(answers) is False


def test_fewer_than_two_repeats_say_nothing() -> None:
    assert tar_raw([]) is None
    assert tar_raw(["a"]) is None
    assert tar_answer(["5"]) is None


def test_a_scenario_is_the_mean_of_its_items() -> None:
    items = [
        (["x", "x"], ["5", "5"]),
        (["x", "y"], ["5", "5"]),
        (["x", "y"], ["5", "6"]),
        (["x", "y"], ["5", None]),
        (["once"], ["5"]),
    ]
    assert scenario_agreement(items) == Agreement(same_text=1, same_answer=2, items=4)


def test_shares_have_the_interval_of_so_many_items() -> None:
    found = Agreement(same_text=1, same_answer=2, items=4).to_json()
    assert (found["items"], found["tar_raw"], found["tar_answer"]) == (4, 0.25, 0.5)
    expected = scipy.stats.binomtest(1, 4).proportion_ci(method="wilson")
    assert found["tar_raw_interval"] == pytest.approx([expected.low, expected.high], abs=1e-5)
    assert found["tar_answer_interval"] == pytest.approx(list(wilson(2, 4) or ()), abs=1e-5)


def test_nothing_to_compare() -> None:
    assert scenario_agreement([]) == scenario_agreement([(["a"], ["a"])]) == Agreement(0, 0, 0)
    found = Agreement(0, 0, 0).to_json()
    assert found == {"items": 0} | dict.fromkeys(
        ("tar_raw", "tar_raw_interval", "tar_answer", "tar_answer_interval")
    )
