"""A message put together from the deltas of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wending.serve.guard.message_text import text_of


class StreamedMessage:
    """One choice's, as far as it has come."""

    def __init__(self) -> None:
        self.text = ""
        self._calls: dict[int, dict[str, Any]] = {}
        self._others: dict[str, Any] = {}

    def take(self, delta: Mapping[str, Any]) -> None:
        self.text += text_of(delta)
        self._others |= {name: delta[name] for name in ("refusal", "function_call") if delta.get(name)}
        pieces = delta.get("tool_calls")
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, dict):
                _add(self._calls.setdefault(self._index(piece), {}), piece)

    @property
    def calls_tools(self) -> bool:
        return bool(self._calls)

    def message(self) -> dict[str, Any]:
        calls = {"tool_calls": [self._calls[i] for i in sorted(self._calls)]} if self._calls else {}
        return {"role": "assistant", "content": self.text or None} | self._others | calls

    def _index(self, piece: Mapping[str, Any]) -> int:
        """Of the call that a piece belongs to. Some upstreams leave it out: an id then begins a call."""
        index = piece.get("index")
        if isinstance(index, int):
            return index
        last = max(self._calls, default=-1)
        return last + 1 if piece.get("id") or last < 0 else last


def _add(call: dict[str, Any], piece: Mapping[str, Any]) -> None:
    """Name and arguments come in pieces, everything else once."""
    for name, value in piece.items():
        if name == "function" and isinstance(value, dict):
            function = call.setdefault("function", {})
            for key, part in value.items():
                before = function.get(key)
                both_text = isinstance(before, str) and isinstance(part, str)
                if part is not None:
                    function[key] = before + part if both_text else part
        elif name != "index" and value is not None:
            call[name] = value
