"""What the check of a message has found: in its text, or in its calls of tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wending.serve.guard.verdict import Repair

CallRepair = Literal["tool_call_in_text", "no_arguments", "arguments_not_text", "incomplete_call"]
"""What else was wrong with a call that could be repaired.

tool_call_in_text: it was written in the text. no_arguments: nothing stood where an empty object is meant.
arguments_not_text: they were an object, and not the text of one. incomplete_call: it had no id, or no type.
"""


@dataclass(slots=True)
class MessageVerdict:
    """`message` is what was asked for if there are no problems."""

    said: Mapping[str, Any]
    """As it came."""
    message: Mapping[str, Any]
    """Repaired where that was needed."""
    about: Literal["response_format", "tools"] = "response_format"
    """The field of the request that the message was held against."""
    repairs: list[tuple[int | None, Repair | CallRepair]] = field(default_factory=list)
    """Each with the position of the call; None: of the text."""
    problems: list[tuple[int | None, str]] = field(default_factory=list)
    wrong_text: str = ""
    """The last text that was not right as it came: of the message, or the arguments of a call."""
