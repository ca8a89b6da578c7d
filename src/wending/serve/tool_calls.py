"""Calls of tools in the text of an answer, read as it comes.

The text is what the engine's grammar of tool calls lets pass (engine/grammar/tool_calls.py): some text, then
calls, of which only the arguments' spelling is the model's.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from wending.engine.constraint import CALL_BEGINS, CALL_ENDS

_NAME, _ARGUMENTS = '\n{"name": "', '", "arguments": '
_END = "}\n" + CALL_ENDS
"""Not in arguments: line breaks within JSON strings are escaped, and a tag would have to stand in one."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of what is said beside calls."""

    text: str


@dataclass(frozen=True, slots=True)
class CallBegin:
    """A tool is called. Its arguments follow."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Arguments:
    """A piece of the JSON text of the arguments of a call."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class CallEnd:
    """The arguments of a call are whole."""

    index: int


Piece = Text | CallBegin | Arguments | CallEnd


@dataclass(slots=True)
class ToolCallReader:
    """Takes one completion's text piece by piece. Something is held back while it may be part of a tag."""

    calls: int = 0
    _rest: str = ""
    _is_inside: bool = False
    _has_name: bool = False
    _ready: list[Piece] = field(default_factory=list)

    def feed(self, text: str) -> list[Piece]:
        """What has become certain with this text."""
        self._rest += text
        while self._step():
            pass
        ready, self._ready = self._ready, []
        return ready

    def finish(self) -> list[Piece]:
        """What was held back, at the end of the text."""
        rest, self._rest = self._rest, ""
        return [Text(rest)] if rest and not self.calls else []

    def _step(self) -> bool:
        if not self._is_inside:
            return self._text()
        return self._arguments() if self._has_name else self._name()

    def _text(self) -> bool:
        before, tag, rest = self._rest.partition(CALL_BEGINS)
        if tag:
            self._say(before.rstrip("\n"))
            self._rest, self._is_inside, self._has_name = rest, True, False
            return True
        certain = before[: len(before) - _begun(before, CALL_BEGINS)].rstrip("\n")
        self._say(certain)
        self._rest = before[len(certain) :]
        return False

    def _say(self, text: str) -> None:
        if text and not self.calls:
            self._ready.append(Text(text))

    def _name(self) -> bool:
        head, tag, rest = self._rest.partition(_ARGUMENTS)
        if not tag:
            return False
        name = head.removeprefix(_NAME)
        self._ready.append(CallBegin(self.calls, f"call_{uuid.uuid4().hex}", name))
        self._rest, self._has_name = rest, True
        return True

    def _arguments(self) -> bool:
        before, tag, rest = self._rest.partition(_END)
        certain = before if tag else before[: len(before) - _begun(before, _END)]
        if certain:
            self._ready.append(Arguments(self.calls, certain))
        if not tag:
            self._rest = before[len(certain) :]
            return False
        self._ready.append(CallEnd(self.calls))
        self._rest, self._is_inside = rest, False
        self.calls += 1
        return True


def _begun(text: str, tag: str) -> int:
    """How many characters at the end of a text may be the beginning of a tag."""
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:size])), 0)
