"""What the check of an answer's text has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Repair = Literal["code_fence", "text_around", "syntax", "cut_off", "tool_call_in_text"]
"""What was wrong with a text that could be repaired.

code_fence: the JSON stood in a Markdown fence. text_around: other text stood around it. syntax: something in
it was not JSON, such as a trailing comma. cut_off: it ended too early, and what was complete of it is kept.
tool_call_in_text: a call stood in the text of a message as the model wrote it.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Either `text`, JSON that is what was asked for, or `problems`, one line each for whoever made it."""

    text: str | None
    repairs: tuple[Repair, ...] = ()
    """What was done to the answer to make `text` of it. Empty: it is the answer as it came."""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageVerdict:
    """The same for all that a message says, its text and its calls of tools."""

    message: dict[str, Any] | None
    """The message that is what was asked for."""
    said: str
    """What was judged, in words."""
    repairs: tuple[Repair, ...] = ()
    problems: tuple[str, ...] = ()
    is_about_calls: bool = False
    """Whether the problems are those of calls, or of a missing one."""
