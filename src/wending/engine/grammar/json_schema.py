"""From a JSON schema to a grammar, or the place in the schema that cannot be enforced.

llguidance refuses keywords that it does not know to enforce and names them; here they are found
again, so that an error can point at them (RFC 6901).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Any

import orjson
from llguidance import LLMatcher, LLTokenizer

from wending.engine.errors import InvalidRequest
from wending.engine.grammar.ending import completes

MOST_WHITE_SPACE = 8
"""Consecutive characters between the parts of a JSON text. Without a bound a model may never end them."""
# All that a schema could set for itself under "x-guidance", so that nobody switches off that it is enforced.
_OPTIONS: Any = {
    "whitespace_pattern": rf"[\x20\x0A\x0D\x09]{{1,{MOST_WHITE_SPACE}}}",
    "whitespace_flexible": True,
    "item_separator": ",",
    "key_separator": ":",
    "coerce_one_of": False,
    "lenient": False,
}
_EXCLUSIVE = ("exclusiveMinimum", "exclusiveMaximum")
_UNKNOWN_KEYWORDS = re.compile(r"Unimplemented keys: (\[.*\])")
_UNKNOWN_FORMAT = re.compile(r"Unknown format: (\S+)")
_DATA = frozenset(("const", "enum", "default", "examples"))
"""What stands behind these is data and no schema."""


def grammar_of_schema(source: str, field: str) -> str:
    """The grammar, in llguidance's form, of the JSON texts that a schema allows.

    Raises InvalidRequest for `field`, with a JSON pointer, where the schema cannot be enforced.
    """
    try:
        schema = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(field, f"the schema is not JSON: {error}") from error
    if not isinstance(schema, dict | bool):
        raise InvalidRequest(field, f"a schema is an object, true or false, not {type(schema).__name__}")
    try:
        grammar = LLMatcher.grammar_from_json_schema(source, overrides=_OPTIONS)
    except ValueError as error:
        raise InvalidRequest(field, f"is no schema: {error}") from error
    failed, messages = LLMatcher.validate_grammar_with_warnings(grammar)
    if failed:
        raise InvalidRequest(field, _explained(schema, messages[0]), code="unsupported_constraint")
    for place, key, node in _members(schema):
        if key in _EXCLUSIVE and _lets_pass(node, node[key]):
            message = f"the schema has at {place} a bound that cannot be enforced together with the other one"
            raise InvalidRequest(field, message, code="unsupported_constraint")
    return grammar


def _lets_pass(node: dict[str, Any], bound: Any) -> bool:
    """Whether a number that a schema excludes is in its grammar. llguidance 1.9.1 lets 0 pass as greater than
    0 if it must be less than 0.5 as well."""
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return False
    limits = {key: node[key] for key in (*_EXCLUSIVE, "minimum", "maximum") if key in node}
    matcher = LLMatcher(
        LLTokenizer("byte"), LLMatcher.grammar_from_json_schema({"type": "number", **limits}), log_level=0
    )
    return any(completes(matcher, list(text.encode())) for text in (f"{bound:.17g}", f"-{bound:.17g}"))


def _explained(schema: Any, message: str) -> str:
    """An error of llguidance's with the place that it is about, if that can be told."""
    message = " ".join(message.split())[:300]
    if found := _UNKNOWN_KEYWORDS.match(message):
        keywords = orjson.loads(found[1])
        places = [place for place, key, _ in _members(schema) if key in keywords]
        if places:
            return f"the schema has at {places[0]} a keyword that cannot be enforced"
    if found := _UNKNOWN_FORMAT.match(message):
        places = [place for place, key, node in _members(schema) if key == "format" and node[key] == found[1]]
        if places:
            return f"the schema has at {places[0]} a format that cannot be enforced: {found[1]!r}"
    return f"the schema cannot be enforced: {message}"


def _members(schema: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """JSON pointer and name of all members that may be keywords, and the schema that each stands in; those
    further out first."""
    waiting = deque([("", schema, True)])
    while waiting:
        place, value, is_schema = waiting.popleft()
        if isinstance(value, dict):
            for key, member in value.items():
                inside = f"{place}/{_escaped(key)}"
                if is_schema:
                    yield inside, key, value
                if not (is_schema and key in _DATA):
                    # The members of `properties` and the like are names, and their values schemas.
                    named = is_schema and key in _NAMED
                    waiting.append((inside, member, not named))
        elif isinstance(value, list):
            waiting += [(f"{place}/{index}", member, True) for index, member in enumerate(value)]


_NAMED = frozenset(("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"))


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
