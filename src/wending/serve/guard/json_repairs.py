"""Repairs a piece of a text that is nearly JSON. A repair changes syntax, never a value.

json-repair always returns something, and where it has to guess it makes values up: "" after a colon that
nothing follows, "1," of a doubled comma. Such results are refused here, so that the model is asked again.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import json_repair

from wending.serve.guard.json_pieces import JSONPiece

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")
_QUOTES = (('"', '"'), ("'", "'"), ("`", "`"), ("“", "”"), ("‘", "’"))


def repaired(piece: JSONPiece) -> Any:
    """The object or array that `piece` was meant to be. Raises ValueError."""
    text = piece.closed_text
    try:
        value = json_repair.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(value, dict | list):
        raise ValueError("neither an object nor an array")
    if piece.was_cut_off and not value:
        raise ValueError("it was cut off before anything was complete")
    _check_faithful(value, text, {float(number) for number in _NUMBER.findall(text)})
    return value


def _check_faithful(value: Any, text: str, numbers: set[float]) -> None:
    """Raises ValueError unless every string of `value` stood in quotes in `text`, every number outside."""
    match value:
        case dict():
            for child in value.values():
                _check_faithful(child, text, numbers)
        case list():
            for child in value:
                _check_faithful(child, text, numbers)
        case str() if not _was_quoted(value, text):
            raise ValueError(f"{value[:40]!r} would have to be made up")
        case float() if not math.isfinite(value):
            raise ValueError(f"{value} is no JSON number")
        case int() | float() if not isinstance(value, bool) and float(value) not in numbers:
            raise ValueError(f"{value} would have to be made up")


def _was_quoted(value: str, text: str) -> bool:
    """Whether `value` is between two quotes in `text`. A quote inside it that is not escaped ends it."""
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return any(
        opening + form + closing in text
        for opening, closing in _QUOTES
        for form in (escaped if closing in value else {value, *escaped})
    )
