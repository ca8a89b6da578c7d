"""Puts a message together from the deltas of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def add_delta(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Texts are appended, also those of calls, which their index tells apart; other values replace."""
    for name, value in delta.items():
        if name == "tool_calls" and isinstance(value, list):
            calls = message.setdefault("tool_calls", [])
            for piece in value:
                if isinstance(piece, dict):
                    _add_call(calls, piece)
        elif isinstance(value, str) and isinstance(message.get(name), str):
            message[name] += value
        elif value is not None:
            message[name] = value


def _add_call(calls: list[dict[str, Any]], piece: Mapping[str, Any]) -> None:
    index = piece.get("index")
    known = next((call for call in calls if index is not None and call.get("index") == index), None)
    function = piece.get("function")
    if known is None:
        calls.append(dict(piece) | {"function": dict(function) if isinstance(function, dict) else {}})
        return
    for name, value in (function or {}).items():
        before = known["function"].get(name)
        known["function"][name] = before + value if isinstance(before, str) and name == "arguments" else value
