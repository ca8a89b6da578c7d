"""In the examples ¦ stands where a sentence ends; the last one is where a cut leaves the text."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wending.serve.sentence_ends import SentenceEnds

EXAMPLES = [
    "今天天气很好。¦我们去公园",
    "“你好！”¦他高兴地",
    "“你好！”，他说。¦然后",
    "她问：“为什么？！”¦没有人",
    "等等……¦后来",
    "他说（真的吗？）¦然后走",
    "价格是3.5元。¦另外",
    "请看 example.com 的说明。¦然后",
    "用了 Python.¦然后我们",
    "It works.¦ The next on",
    'She said: "It works."¦ And th',
    "It is **done.**¦ Next we",
    "**好。**¦下一",
    "好。¦**重点：**没有",
    "Is it 3.14 or e.g. 2.71?¦ I think",
    "Mr. Smith met Dr. J. R. Jones in the U.S. embassy.¦ He",
    "See Fig. 3 and approx. five, vs. others, etc. and so on!¦ Then",
    "He said no.¦ Then he le",
    "I did.¦ So did I.¦ But",
    "It costs 5.¦ Then 3.",
    "The year was 1999.¦ After",
    "Wait... what, no!¦ I",
    "a != b, x.y and f(x)?y.¦ Then",
    "Oui !¦ Non ?¦ Peut",
    'He cried "Go!" and went.¦ Then',
    "هل هذا صحيح؟¦ نع",
    "本当ですか。¦はい",
    "The end.¦",
    "The end.¦\n\n",
    "So it is.¦\n\n## A heading\n\nA par",
    "Two things:\n1. Tea, e.g. green\n¦2. Coff",
    "Two things:\n\n1. **Tea:**\n   - green tea\n¦   - bla",
    "- one\n¦- two.¦\n- thr",
    "（1）喝茶；\n¦（2）喝",
    "3.14 is pi\nand e is 2.7",
    "| a | b |\n¦|---|---|\n¦| 1 |",
    "Look:\n\n```python\nx = 1.  # a. B\n¦y = 2.5\n¦z =",
    "Look:\n\n```\nx = 1\n¦```¦",
    "Look:\n\n```\nx = 1\n¦```\n¦That sets x.¦ And",
    "a. first\n¦b. sec",
    "~~~\nx\n¦\n\ny",
    "no sentence here",
    "1. item",
    "",
]


def split(example: str) -> tuple[str, list[int]]:
    """The text, and where its sentences end. A line's end stands before its break."""
    ends, text = [], ""
    for i, piece in enumerate(pieces := example.split("¦")):
        text += piece
        if i + 1 < len(pieces):
            ends.append(len(text.rstrip()))
    return text, ends


@pytest.mark.parametrize("example", EXAMPLES)
def test_where_sentences_end(example: str) -> None:
    text, ends = split(example)
    sentences = SentenceEnds()
    sentences.add(text)
    sentences.close()
    assert text[: sentences.last] == text[: ends[-1] if ends else 0]


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_end_is_found_as_the_text_comes(example: str) -> None:
    """Character by character: every end but those that only the end of the text shows, in order."""
    text, ends = split(example)
    sentences = SentenceEnds()
    found = []
    for character in text:
        sentences.add(character)
        found.append(sentences.last)
    assert found == sorted(found)
    sentences.close()
    assert {*found, sentences.last} - {0} == set(ends)


PIECES = st.sampled_from(
    [*'..!?。…，1aAé中"*)”_`-| \n\t', "```", "e.g", "Mr", "no", "1.", "- ", "**", "\n\n"]
)


@settings(max_examples=1000, deadline=None)
@given(pieces=st.lists(PIECES, max_size=40), numbers=st.randoms(use_true_random=False))
def test_how_a_text_comes_makes_no_difference(pieces: list[str], numbers: random.Random) -> None:
    """What a stream of any text has sent is part of what the whole is cut to, and is that in the end."""
    text = "".join(pieces)
    whole, stream = SentenceEnds(), SentenceEnds()
    whole.add(text)
    certain = whole.last
    whole.close()
    at, sent = 0, 0
    while at < len(text):
        length = numbers.randrange(1, 9)
        stream.add(text[at : at + length])
        at += length
        assert sent <= stream.last <= min(at, whole.last)
        sent = stream.last
    assert stream.last == certain
    stream.close()
    assert stream.last == whole.last
    assert not text[: whole.last].endswith((" ", "\n", "\t"))


@pytest.mark.parametrize("text", ["It costs 3.", "It is e.g.", "He met Mr.", "1.", "In the U.S."])
def test_a_dot_that_may_be_another_is_not_the_last_one(text: str) -> None:
    sentences = SentenceEnds()
    sentences.add("So. " + text)
    sentences.close()
    assert sentences.last == len("So.")


@pytest.mark.parametrize(
    ("beginning", "text", "whole"),
    [
        ("It is done.", " And more", ""),
        ("It is do", "ne. And more", "ne."),
        ("It is 3", ".14. And", ".14."),
        ("It is e", ".g. this. And", ".g. this."),
        ("1", ". tea\n2", ". tea"),
        ("```\nx", " = 1.\ny", " = 1."),
    ],
)
def test_what_stands_before_the_text(beginning: str, text: str, whole: str) -> None:
    sentences = SentenceEnds(beginning)
    sentences.add(text)
    sentences.close()
    assert text[: sentences.last] == whole


def test_a_long_text_without_an_end_takes_no_time_squared() -> None:
    sentences = SentenceEnds()
    for _ in range(20_000):
        sentences.add("no end ")
    sentences.close()
    assert sentences.last == 0
