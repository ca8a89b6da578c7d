"""The text of a message of the assistant, or of a delta of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def says_no_text(message: Mapping[str, Any]) -> bool:
    """Whether it has no text that could be an answer because it calls a tool or refuses."""
    return any(message.get(name) for name in ("tool_calls", "function_call", "refusal"))


def text_of(message: Mapping[str, Any]) -> str:
    """Its text; none is the empty one."""
    content = message.get("content")
    return content if isinstance(content, str) else ""
