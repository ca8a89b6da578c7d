"""One choice of a stream: its text passes as it comes, its calls of tools are held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wending.serve.guard.answer_chunks import delta_of
from wending.serve.guard.calls_in_text import may_begin_at
from wending.serve.guard.message_text import text_of
from wending.serve.guard.streamed_message import StreamedMessage


class HeldChoice:
    """What of the choice is out, and what is held."""

    def __init__(self, index: int) -> None:
        self.index = index
        self._message = StreamedMessage()
        self._sent = ""
        self._held_text = ""
        self._end: dict[str, Any] = {}
        """What the upstream said with the end, beside the last delta."""

    @property
    def holds(self) -> bool:
        return self._message.calls_tools or bool(self._held_text)

    @property
    def has_ended(self) -> bool:
        """Whether all that is held is there."""
        return bool(self._end)

    def take(self, part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What passes now when `part` of the choice has come: it, another one, or nothing."""
        delta = part.get("delta") or {}
        self._message.take(delta)
        new = text_of(delta)
        text = self._held_text + new
        at = len(text) if self._message.calls_tools else may_begin_at(text)
        passing, self._held_text = text[:at], text[at:]
        self._sent += passing
        ends = part.get("finish_reason") is not None and self.holds
        if ends:
            self._end = {name: value for name, value in part.items() if name not in ("delta", "logprobs")}
        elif passing == new and not delta.get("tool_calls"):
            return [part]
        rest = {name: value for name, value in delta.items() if name != "tool_calls"}
        changed: dict[str, Any] = {"delta": rest} | ({"finish_reason": None} if ends else {})
        if passing != new:
            rest["content"] = passing
            changed |= {"logprobs": None} if "logprobs" in part else {}  # they would tell what is held
        return [{**part, **changed}] if any(value not in (None, "") for value in rest.values()) else []

    def answer(self) -> dict[str, Any]:
        """The choice as one of a whole answer."""
        end = self._end.get("finish_reason")
        return {"index": self.index, "message": self._message.message(), "finish_reason": end}

    def rest(self, choice: Mapping[str, Any], is_another: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is left to be sent of `choice`, which is valid: all it says in one part, and its end.

        If it is another answer than the one whose text is out, its calls follow on that text; where it has
        none, its text is a paragraph of its own.
        """
        message = choice.get("message") or {}
        calls, text = message.get("tool_calls"), text_of(message)
        if not is_another:
            text = text[len(self._sent) :]  # of which at most white space was left out
        elif self._sent.strip():
            text = "" if calls else "\n\n" + text
        said = ({"content": text} if text else {}) | ({"tool_calls": calls} if calls else {})
        end = choice.get("finish_reason") or ("tool_calls" if calls else "stop")
        return (
            {"index": self.index, "delta": delta_of(said), "finish_reason": None},
            self._end | {"index": self.index, "delta": {}, "finish_reason": end},
        )
