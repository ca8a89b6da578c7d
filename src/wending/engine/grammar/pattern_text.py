"""A short text that a pattern describes, so that a string can end with it.

What a pattern without anchors describes may stand anywhere in a string, and anything before it. Byte by byte
all is allowed there and nothing shows the way, so the way is found once, with nothing before and behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from llguidance import LLMatcher, LLTokenizer

from wending.engine.grammar.ending import Endings

MOST_TEXTS = 64
"""Of one schema: each takes some milliseconds."""
_REPEATS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[*+]|\{\d+,\d*\}", re.DOTALL)
"""How often something is repeated; escapes and classes only so that nothing within them is taken for that."""
_BYTES = LLTokenizer("byte")
_ENDINGS = Endings([bytes([octet]) for octet in range(256)], list)


def pattern_texts(schemas: Any) -> tuple[bytes, ...]:
    """For the patterns anywhere in schemas, as text_of_pattern has them, the shortest first."""
    patterns = list(dict.fromkeys(_patterns(schemas)))
    found = map(text_of_pattern, patterns[:MOST_TEXTS])
    return tuple(sorted({text for text in found if text is not None}, key=lambda text: (len(text), text)))


@lru_cache(maxsize=256)
def text_of_pattern(pattern: str) -> bytes | None:
    """Text that the whole of a pattern describes, as it stands in a JSON string; None: none was found."""
    bare = pattern.removeprefix("^")
    bare = bare if bare.endswith("\\$") else bare.removesuffix("$")
    least = _REPEATS.sub(_least, bare)
    source = LLMatcher.grammar_from_json_schema({"type": "string", "pattern": f"^(?:{least})$"})
    matcher = LLMatcher(_BYTES, source, log_level=0)
    found = None if matcher.is_error() else _ENDINGS.find(matcher)
    return None if found is None else bytes(found[1:-1])


def _least(found: re.Match[str]) -> str:
    """As few repetitions as there may be, so that no walk goes round in circles."""
    text = found[0]
    if text.startswith("{"):
        return text.partition(",")[0] + "}"
    return {"*": "{0}", "+": "{1}"}.get(text, text)


def _patterns(schemas: Any) -> Iterator[str]:
    waiting = [schemas]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            pattern, of_names = value.get("pattern"), value.get("patternProperties")
            yield from (of_names if isinstance(of_names, dict) else ())
            yield from ([pattern] if isinstance(pattern, str) else [])
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
