"""Calls of tools that an upstream has left in the text, as models of the Hermes form write them.

<tool_call>
{"name": "get_weather", "arguments": {"city": "Paris"}}
</tool_call>

White space is free, the JSON may stand in a code fence, and the last closing tag may be missing: it is where
such a model ends. A tag that no object follows is text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from wending.engine.constraint import CALL_BEGINS, CALL_ENDS
from wending.serve.guard.json_pieces import end_of_thoughts

MAX_CALLS = 128
MAX_CHARACTERS = 1 << 20  # so that reading cannot hold the server up
_FENCE = r"(?:```\w*\s*)?"
_BEGIN = re.compile(rf"{CALL_BEGINS}\s*(?={_FENCE}\{{)")
_MAY_BEGIN = re.compile(rf"{CALL_BEGINS}\s*(?:`{{0,3}}\Z|{_FENCE}(?:\{{|\Z))")
_END = re.compile(rf"\s*(?:{CALL_ENDS}|(?={CALL_BEGINS})|\Z)")
_NEXT_TAG = re.compile(rf"{CALL_ENDS}|(?={CALL_BEGINS})|\Z")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class CallsInText:
    outside: str
    """All text that belongs to no call, as it stood there."""
    calls: tuple[str, ...]
    """What stands between the tags of each call: meant to be JSON, and not checked."""


def calls_in_text(text: str) -> CallsInText:
    """At most MAX_CALLS; what follows is text, and so is all that has more than MAX_CHARACTERS.

    What a model has thought aloud holds no calls.
    """
    if len(text) > MAX_CHARACTERS:
        return CallsInText(text, ())
    outside: list[str] = []
    calls: list[str] = []
    end = 0
    search_from = end_of_thoughts(text)
    while len(calls) < MAX_CALLS and (tag := _BEGIN.search(text, search_from)):
        outside.append(text[end : tag.start()])
        inner_end, end = _ends(text, tag.end())
        calls.append(text[tag.end() : inner_end])
        search_from = end
    return CallsInText("".join([*outside, text[end:]]), tuple(calls))


def may_begin_at(text: str) -> int:
    """Where the first call in `text` begins, or may be beginning at its end; its length if nowhere."""
    found = _MAY_BEGIN.search(text)
    if found:
        return found.start()
    sizes = range(min(len(text), len(CALL_BEGINS) - 1), 0, -1)
    return len(text) - next((size for size in sizes if text.endswith(CALL_BEGINS[:size])), 0)


def _ends(text: str, begin: int) -> tuple[int, int]:
    """Where the JSON from `begin` ends, and where the call does. A tag within a string ends neither."""
    try:
        json_end = _DECODER.raw_decode(text, begin)[1]
    except (ValueError, RecursionError):
        json_end = None
    if json_end is not None and (closing := _END.match(text, json_end)):
        return json_end, closing.end()
    closing = _NEXT_TAG.search(text, begin)
    return (closing.start(), closing.end()) if closing else (len(text), len(text))
