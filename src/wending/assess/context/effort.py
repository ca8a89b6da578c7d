"""How much is asked, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("en", "zh")
DEPTHS = (0.0, 0.5, 0.75)
"""Share of the text that stands before the fact. Lengths double, so that the distances, which are 1, 1/2 and
1/4 of a length, meet at the same values from different lengths."""


@dataclass(frozen=True, slots=True)
class ContextEffort:
    repeats: int
    """How often each depth of each length is asked, each time with another text and fact. The languages take
    turns; an even number asks each depth in both."""
    request_s: float
    """A request that takes longer is broken off; a length that would take longer is not begun."""
    total_s: float
    """A length is not begun that would end after so many seconds."""
