from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Sequence

import pytest

from wending.engine.client import CompletionDelta, FinishReason
from wending.serve.graceful_end import Ending, ending_well

TEXT = "Tea costs 3.50, e.g. here. 很好。Then we"


def decode(token_ids: Sequence[int]) -> str:
    """One token for each byte."""
    return bytes(token_ids).decode(errors="replace")


def deltas(text: str, reason: FinishReason, numbers: random.Random | None = None) -> list[CompletionDelta]:
    """A completion in deltas of a character each, or of any number."""
    made = []
    while text:
        length = 1 if numbers is None else numbers.randrange(6)
        made.append(CompletionDelta(0, text[:length], list(text[:length].encode())))
        text = text[length:]
    made.append(CompletionDelta(0, "", [], finish_reason=reason))
    return made


def ended(ending: Ending, parts: Sequence[CompletionDelta]) -> list[str]:
    """The texts that are passed on."""
    return [ending.pass_on(delta).text for delta in parts]


def test_nothing_is_held_back_of_what_is_not_cut() -> None:
    ending = Ending(decode, cuts=False)
    parts = deltas(TEXT, "length")
    assert [ending.pass_on(delta) for delta in parts] == parts
    assert ending.tokens == len(TEXT.encode())
    assert (ending.cut_characters, ending.cut_tokens) == (0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_a_text_that_is_cut(seed: int) -> None:
    ending = Ending(decode, cuts=True)
    texts = ended(ending, deltas(TEXT, "length", random.Random(seed)))
    assert "".join(texts) == "Tea costs 3.50, e.g. here. 很好。"
    assert ending.tokens == len(TEXT.encode())
    assert (ending.cut_characters, ending.cut_tokens) == (7, 7)


def test_what_may_be_cut_is_held_back() -> None:
    texts = ended(Ending(decode, cuts=True), deltas(TEXT, "length"))
    assert [text for text in texts if text] == ["Tea costs 3.50, e.g. here.", " 很好。"]
    assert texts.index(" 很好。") == TEXT.index("T", 1)  # with the character behind it, and no later


@pytest.mark.parametrize(
    ("text", "reason"),
    [(TEXT, "stop"), ("no sentence", "length"), ("A whole one.", "length"), ("", "length"), ("", "stop")],
)
def test_a_text_that_is_whole(text: str, reason: FinishReason) -> None:
    ending = Ending(decode, cuts=True)
    assert "".join(ended(ending, deltas(text, reason))) == text
    assert (ending.cut_characters, ending.cut_tokens) == (0, 0)


def test_cut_tokens_are_those_of_which_nothing_is_left() -> None:
    """The last token shown may hold the beginning of what is cut, and half a character shows nothing."""
    words = {1: "One. ", 2: "Two. Th", 3: "ree", 4: ""}
    ending = Ending(lambda ids: "".join(words[i] for i in ids), cuts=True)
    parts = [CompletionDelta(0, words[i], [i]) for i in words]
    parts[-1].finish_reason = "length"
    assert "".join(ended(ending, parts)) == "One. Two."
    assert (ending.cut_characters, ending.cut_tokens) == (6, 2)


def test_the_beginning_of_the_message_is_known() -> None:
    ending = Ending(decode, cuts=True, beginning="Pi is 3")
    assert "".join(ended(ending, deltas(".14. So", "length"))) == ".14."
    assert ending.cut_characters == 3


async def test_completions_end_each_by_itself() -> None:
    async def generate() -> AsyncGenerator[CompletionDelta, None]:
        yield CompletionDelta(0, "One. Tw", [1])
        yield CompletionDelta(1, "A", [1])
        yield CompletionDelta(0, "o", [2], finish_reason="length")
        yield CompletionDelta(1, " and B", [2], finish_reason="stop")

    endings = [Ending(lambda ids: "One. Two"[: 7 * len(ids)], cuts=True) for _ in range(2)]
    shown = [(delta.index, delta.text) async for delta in ending_well(generate(), endings)]
    assert shown == [(0, "One."), (1, ""), (0, ""), (1, "A and B")]
    assert [ending.cut_characters for ending in endings] == [4, 0]


async def test_an_error_shows_nothing_more() -> None:
    ending = Ending(decode, cuts=True)
    failed = CompletionDelta(0, "", [], None, "error", "it failed")
    assert ended(ending, [*deltas("One. Tw", "stop")[:-1], failed])[-1] == ""
