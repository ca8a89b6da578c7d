# ruff: noqa: E501 - test suites are written as a model writes them
"""Items that ask for tests: a thorough suite passes, one that leaves a point out misses just that fault."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from wending.assess.checks import run_passes
from wending.assess.checks.extract import parse_python
from wending.assess.scenarios import Item, judge, load_scenarios

[SCENARIO] = load_scenarios(["code_completion"])
ITEMS = {item.id: item for item in SCENARIO.items if item.checks[0].name == "written_tests"}
SUITES = {
    "tests_clamp": """
import pytest
from solution import clamp

@pytest.mark.parametrize("value, expected", [(5, 5), (4, 4), (6, 6), (0, 1), (11, 10), (1, 1), (10, 10)])
def test_values(value, expected):
    assert clamp(value, 1, 10) == expected

def test_limits_the_wrong_way_round():
    with pytest.raises(ValueError, match="low is above high"):
        clamp(1, 3, 2)
""",
    "tests_median": """
import pytest
from solution import median

def test_odd():
    assert median([9, 1, 4]) == 4

def test_even():
    assert median([4, 1, 3, 2]) == 2.5

def test_empty():
    with pytest.raises(ValueError):
        median([])

def test_the_list_stays_as_it_was():
    numbers = [3, 1, 2]
    median(numbers)
    assert numbers == [3, 1, 2]
""",
    "tests_truncate": """
import pytest
from solution import truncate

class TestTruncate:
    def test_short(self):
        assert truncate("abc", 5) == "abc"

    def test_exact(self):
        assert truncate("abcde", 5) == "abcde"

    def test_long(self):
        assert truncate("abcdefgh", 6) == "abc..."

    def test_only_dots(self):
        assert truncate("abcdef", 3) == "..."

    @pytest.mark.parametrize("width", [2, 0, -1])
    def test_too_narrow(self, width):
        pytest.raises(ValueError, truncate, "abc", width)
""",
    "tests_duration": """
import pytest
from solution import seconds

@pytest.mark.parametrize("text, expected", [("1h30m", 5400), ("45s", 45), ("2h5s", 7205), ("12m10s", 730), ("0s", 0)])
def test_values(text, expected):
    assert seconds(text) == expected

@pytest.mark.parametrize("text", ["", "10", "30m1h", "1h1h", "1h and more", "h", "-1s"])
def test_refused(text):
    with pytest.raises(ValueError):
        seconds(text)
""",
    "tests_recent_cache": """
import pytest
from solution import RecentCache

@pytest.fixture
def cache():
    cache = RecentCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    return cache

def test_the_least_recent_is_dropped(cache):
    cache.put("c", 3)
    assert len(cache) == 2
    assert (cache.get("b"), cache.get("c")) == (2, 3)
    with pytest.raises(KeyError):
        cache.get("a")

def test_get_makes_recent(cache):
    cache.get("a")
    cache.put("c", 3)
    assert cache.get("a") == 1

def test_put_makes_recent_and_replaces(cache):
    cache.put("a", 7)
    assert len(cache) == 2
    cache.put("c", 3)
    assert cache.get("a") == 7

def test_missing(cache):
    with pytest.raises(KeyError):
        cache.get("z")

def test_capacity():
    with pytest.raises(ValueError):
        RecentCache(0)
""",
    "tests_days_in_month_zh": """
import pytest
from solution import days_in_month

@pytest.mark.parametrize("month, days", list(enumerate([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], 1)))
def test_平年(month, days):
    assert days_in_month(2023, month) == days

@pytest.mark.parametrize("year, days", [(2024, 29), (1900, 28), (2000, 29)])
def test_二月(year, days):
    assert days_in_month(year, 2) == days

@pytest.mark.parametrize("month", [0, 13, -1])
def test_无效月份(month):
    with pytest.raises(ValueError):
        days_in_month(2024, month)
""",
    "tests_mask_phone_zh": """
import unittest
from solution import mask_phone

class MaskPhoneTest(unittest.TestCase):
    def test_mask(self):
        self.assertEqual(mask_phone("13812345678"), "138****5678")

    def test_bad(self):
        for number in ("", "1381234567", "138123456789", "1381234567a"):
            with self.assertRaises(ValueError):
                mask_phone(number)
""",
    "tests_ranking_zh": """
import pytest
from solution import ranking

SCORES = {"c": 80, "a": 90, "d": 70, "b": 90}

def test_order():
    assert ranking(SCORES, 4) == ["a", "b", "c", "d"]
    assert ranking({"b": 1, "a": 1}, 2) == ["a", "b"]

def test_count():
    assert ranking(SCORES, 2) == ["a", "b"]
    assert ranking(SCORES, 0) == []
    assert ranking(SCORES, 9) == ["a", "b", "c", "d"]

def test_negative():
    with pytest.raises(ValueError):
        ranking(SCORES, -1)
""",
    "tests_split_bill_zh": """
import pytest
from solution import split_bill

def test_even():
    assert split_bill(900, 3) == [300, 300, 300]

def test_rest():
    assert split_bill(1001, 3) == [334, 334, 333]
    assert split_bill(2, 3) == [1, 1, 0]
    assert sum(split_bill(1001, 7)) == 1001

@pytest.mark.parametrize(("total", "people"), [(100, 0), (100, -2), (-1, 3)])
def test_refused(total, people):
    with pytest.raises(ValueError):
        split_bill(total, people)
""",
    "tests_account_zh": """
import pytest
from solution import Account

@pytest.fixture()
def account():
    account = Account()
    account.deposit(100)
    yield account

def test_new():
    assert Account().balance == 0

def test_moves(account):
    account.withdraw(30)
    assert account.balance == 70
    account.withdraw(70)
    assert account.balance == 0

def test_overdraft(account):
    with pytest.raises(ValueError) as error:
        account.withdraw(101)
    assert "余额" in str(error.value)
    assert account.balance == 100

@pytest.mark.parametrize("amount", [0, -5])
@pytest.mark.parametrize("move", ["deposit", "withdraw"])
def test_amounts(account, move, amount):
    with pytest.raises(ValueError):
        getattr(account, move)(amount)
    assert account.balance == 100
""",
}


def test_ten_items_half_of_them_chinese_of_two_levels() -> None:
    assert len(ITEMS) >= 10
    languages = Counter(item.language for item in ITEMS.values())
    assert languages["en"] == languages["zh"]
    assert {item.level for item in ITEMS.values()} == {2, 3}
    assert set(SUITES) == set(ITEMS)


@pytest.mark.parametrize("item", ITEMS.values(), ids=lambda item: item.id)
def test_the_data_of_each_item(item: Item) -> None:
    """The prompt shows the first right code, there is a second one, and the faults are told apart."""
    expectation = item.checks[0].expectation
    right, wrong = expectation["right"], expectation["wrong"]
    assert f"```python\n{right[0]}```" in item.messages[0]["content"]
    assert len(right) >= 2
    assert len(wrong) >= 4
    sources = [*right, *(one["code"] for one in wrong)]
    assert len(set(sources)) == len(sources)
    assert not any(isinstance(parse_python(source), str) for source in sources)
    for language in ("en", "zh"):
        assert len({one["fault"][language] for one in wrong}) == len(wrong)


@pytest.mark.parametrize("name", SUITES)
def test_a_thorough_suite_passes(name: str) -> None:
    results = judge(ITEMS[name], [f"```python{SUITES[name]}```"])
    assert [result.reason for result in results if not result.passed] == []


@pytest.mark.parametrize("name", SUITES)
def test_lesser_suites_fail(name: str) -> None:
    item, suite = ITEMS[name], SUITES[name]
    module = "from solution import *\n"
    own_copy = item.checks[0].expectation["right"][0]
    for lesser in (
        f"{module}def test_nothing():\n    pass\n",
        f"{module}def test_nothing_is_right():\n    assert False\n",
        suite.replace("from solution import", "from somewhere import"),
        # What is tested is a copy of the right code, in place of the module or over it.
        own_copy + re.sub(r"from solution import \w+\n", "", suite),
        f"{suite}\n{own_copy}",
    ):
        assert not run_passes(judge(item, [lesser]))


def test_a_missed_fault_is_named_in_both_languages() -> None:
    suite = SUITES["tests_clamp"].partition("def test_limits")[0]
    accepted, caught = judge(ITEMS["tests_clamp"], [suite])
    assert accepted.passed
    assert caught.reason == "3 of 4 planted faults caught; missed: no error when low is above high"
    assert getattr(caught.reason, "zh", "") == "植入的 4 处错误发现 3 处；漏掉：low 大于 high 时不报错"
    assert caught.problem == "tests_miss_faults"
