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
_BEYOND = {"exclusiveMinimum": 0, "exclusiveMaximum": 0, "minimum": -1, "maximum": 1}
"""How far from a bound the first integer lies that it excludes."""
_LITERALS = ("const", "enum")
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
        what = None
        if key in _BEYOND and _lets_pass(node, key):
            what = "a bound that cannot be enforced"
        elif key in _LITERALS and any(map(_is_rounded, _numbers(node[key]))):
            what = "an integer that cannot be enforced: beyond 2^53 not all are"
        if what is not None:
            message = f"the schema has at {place} {what}"
            raise InvalidRequest(field, message, code="unsupported_constraint")
    return grammar


def _lets_pass(node: dict[str, Any], key: str) -> bool:
    """Whether a number that a bound excludes is in its grammar. llguidance 1.9.1 lets 0 pass as greater than
    0 if it must be less than 0.5 as well, and rounds large integers."""
    bound = node[key]
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return False
    excluded = bound + _BEYOND[key]
    if excluded != bound and not _is_rounded(bound):
        return False
    limits = {name: node[name] for name in _BEYOND if name in node}
    kind = "integer" if node.get("type") == "integer" else "number"
    source = LLMatcher.grammar_from_json_schema({"type": kind, **limits})
    matcher = LLMatcher(LLTokenizer("byte"), source, log_level=0)
    texts = [str(excluded) if isinstance(excluded, int) else f"{excluded:.17g}"]
    texts += ["-0"] if excluded == 0 else []
    return any(completes(matcher, list(text.encode())) for text in texts)


def _is_rounded(number: float) -> bool:
    """Whether llguidance 1.9.1, which has numbers as doubles, takes this one for another."""
    return isinstance(number, int) and int(float(number)) != number


def _numbers(value: Any) -> Iterator[float]:
    """All numbers in a JSON value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield one


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
