"""Whether a long text is an article on its subject, as far as counting can tell."""

from __future__ import annotations

import re
from collections.abc import Collection

LEAST_WORDS = 150
"""An article that asks for 800 words and is cut at its token limit has about 450."""
PHRASE_WORDS = 4
LEAST_DISTINCT = 0.5
"""Of its phrases. In prose nearly all differ; a model that turns in a circle repeats the same few."""


def is_article(text: str, subject: Collection[str]) -> bool:
    """Long enough, no loop, and with a word of its subject: `subject` are words in lower case, one of which
    must occur, also at the beginning of a longer word.

    A loop is found by the share of distinct n-grams, as "distinct-n" of J. Li et al., "A diversity-promoting
    objective function for neural conversation models" (2016).
    """
    words = re.findall(r"[^\W_]+", text.lower())
    if len(words) < LEAST_WORDS:
        return False
    phrases = list(zip(*(words[first:] for first in range(PHRASE_WORDS)), strict=False))
    is_loop = len(set(phrases)) < LEAST_DISTINCT * len(phrases)
    return not is_loop and any(word.startswith(tuple(subject)) for word in words)
