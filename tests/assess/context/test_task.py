"""Texts that differ, facts where they should be, and answers judged exactly."""

from __future__ import annotations

import re
from itertools import islice

import pytest

from wending.assess.context.filler import sentences
from wending.assess.context.task import make_task


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sentences_are_many_and_hold_no_code(language: str) -> None:
    told = list(islice(sentences(language, 1), 20_000))
    assert len(set(told)) == len(told)
    assert not re.search(r"\d{3}", "".join(told))
    assert told == list(islice(sentences(language, 1), 20_000))
    assert len(set(told) & set(islice(sentences(language, 2), 20_000))) < 2000  # another seed, another text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("depth", [0.0, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("characters", [1000, 30_000])
def test_the_fact_stands_where_it_should(language: str, depth: float, characters: int) -> None:
    task = make_task(language, characters, depth, seed=3)
    assert 0.98 * characters < len(task.prompt) < 1.01 * characters + 200
    assert task.prompt.count(task.code) == 1
    assert task.share_behind == pytest.approx(1 - depth, abs=200 / characters)
    assert task == make_task(language, characters, depth, seed=3)
    assert task.prompt != make_task(language, characters, depth, seed=4).prompt


def test_only_the_code_counts() -> None:
    task = make_task("en", 500, 0.5, seed=1)
    code = task.code
    grouped = f"{code[:-3]},{code[-3:]}"
    full_width = code.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    for right in (code, f"The code is {code}.", f"**{grouped}**", full_width, f"密码是{code}。"):
        assert task.recalled(right), right
    for wrong in ("", "I do not know.", code[:-1], code + "0", f"{code} or 12345", str(int(code) + 1)):
        assert not task.recalled(wrong), wrong
