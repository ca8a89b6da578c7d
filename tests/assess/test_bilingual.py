"""A sentence in two languages is an ordinary string in English and carries its Chinese twin along."""

from __future__ import annotations

import copy
import pickle

import orjson

from wending.assess.bilingual import Bilingual, chinese, in_language

WORDS = Bilingual("two apples", "两个苹果")


def test_it_is_its_english_text() -> None:
    assert WORDS == "two apples"
    assert in_language(WORDS, "en") == "two apples"
    assert in_language(WORDS, "zh") == chinese(WORDS) == "两个苹果"
    assert orjson.dumps(WORDS) == b'"two apples"'


def test_text_of_one_language_stays_as_it_is() -> None:
    assert chinese("invalid syntax") == in_language("invalid syntax", "zh") == "invalid syntax"


def test_sums_and_copies_keep_both() -> None:
    total = WORDS + Bilingual("; one pear", "；一个梨") + "!"
    assert (total, chinese(total)) == ("two apples; one pear!", "两个苹果；一个梨!")
    for same in (copy.deepcopy(WORDS), pickle.loads(pickle.dumps(WORDS))):
        assert (same, chinese(same)) == ("two apples", "两个苹果")
