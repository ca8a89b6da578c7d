"""What counts as an article on a subject."""

from __future__ import annotations

import pytest

from wending.assess.article import LEAST_WORDS, is_article

LONG = " ".join(f"word{number}" for number in range(LEAST_WORDS))
LOOP = "Put the rice into the pot and stir it well. "


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        (f"{LONG} rice", True),
        (f"{LONG} Ricecooker!", True),
        (LONG, False),
        (f"{LONG} price", False),
        ("", False),
        ("Cook the rice.", False),
        (30 * LOOP, False),
        (f"{LONG} {10 * LOOP}", True),
        (f"{LONG} {40 * LOOP}", False),
    ],
)
def test_long_enough_no_loop_and_on_its_subject(text: str, valid: bool) -> None:
    assert is_article(text, ("rice",)) == valid
