"""What the check of a JSON text has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Repair = Literal["code_fence", "text_around", "syntax", "cut_off", "not_closed"]
"""What was wrong with a text that could be repaired.

code_fence: the JSON stood in a Markdown fence. text_around: other text stood around it. syntax: something in
it was not JSON, such as a trailing comma. cut_off: it ended too early, and what was complete of it is kept.
not_closed: nothing but brackets was missing at its end.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Either `text`, JSON that is what was asked for, or `problems`, one line each for whoever made it."""

    text: str | None
    repairs: tuple[Repair, ...] = ()
    """What was done to the answer to make `text` of it. Empty: it is the answer as it came."""
    problems: tuple[str, ...] = ()
