"""How much longer the way to a complete JSON text can become with each of its bytes.

While that and the tokens that are left say that a text can be completed in any case, nobody needs to look for
the way. The bounds are those of the schema's largest parts, whichever part it is that a text is in: a comma
may cost what the dearest property costs. Where objects have all that they may have, as many applications ask
for, nothing is added for their names: what an object needs is counted where it begins. Bounds are in bytes,
and so at least as many as the tokens. Schemas whose strings have patterns have none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

_MOST_ROUNDS = 64
"""Through schemas that refer to each other, until the bounds no longer change."""
_NUMBER, _SHORT = 32, 8
"""A number within limits; true, null and the like, or any value at all."""
_FORMATS = {"date": 12, "time": 24, "date-time": 34, "uuid": 38, "ipv4": 9, "email": 12, "hostname": 8}
_OTHER_FORMAT = 64
_PATTERNS = frozenset(("pattern", "patternProperties", "propertyNames"))
_BRANCHES = ("anyOf", "oneOf", "allOf")
_CHOICES = ("anyOf", "oneOf")
_ALL_KINDS = ("string", "array", "object", "number")
_ELSEWHERE = object()

_QUOTE, _BACKSLASH, _COMMA, _BRACE, _BRACKET = b'"\\,{['
_CLOSES = b"}]"
_NUMBER_BEGINS, _NUMBER_GOES_ON, _WORD_BEGINS = b"-0123456789", b"-+.eE0123456789", b"tfn"


class Place(NamedTuple):
    """Where in the words of JSON a text is."""

    in_string: bool = False
    escaped: bool = False
    in_number: bool = False
    before_name: bool = False
    """Whether the next string is a name."""
    within: bytes = b""
    """The brackets and braces that are open."""


class Growth(NamedTuple):
    """What a part of a text needs at least from where it begins: the most for any part of a schema."""

    string: int
    array: int
    object: int
    element: int
    member: int
    """A name and its value; 0 where objects have all that they may have."""
    choice: int
    """What the value of a number, true and the like may decide on, as a string may; 0: on nothing."""
    begin: Place = Place()
    """Where a text is before its first byte."""

    def over(self, place: Place, octets: bytes) -> tuple[Place, int]:
        """Where a text is after these bytes, and how much longer the way to its end may have become."""
        in_string, escaped, in_number, before_name, within = place
        growth = 0
        for octet in octets:
            if in_string:
                in_string = escaped or octet != _QUOTE
                escaped = octet == _BACKSLASH and not escaped
                continue
            if octet == _QUOTE:
                growth += self.member if before_name else self.string
                in_string, before_name = True, False
            elif octet == _COMMA:
                before_name = within[-1:] == b"{"
                growth += self.member if before_name else self.element
            elif octet == _BRACE:
                growth += self.object
                before_name, within = True, within + b"{"
            elif octet == _BRACKET:
                growth += self.array
                within += b"["
            elif octet in _CLOSES:
                before_name, within = False, within[:-1]
            elif octet in _NUMBER_BEGINS and not in_number:
                growth += _NUMBER + self.choice
            elif octet in _WORD_BEGINS and not in_number:
                growth += _SHORT + self.choice
            in_number = octet in _NUMBER_GOES_ON
        return Place(in_string, escaped, in_number, before_name, within), growth

    def pending(self, place: Place) -> int:
        """By how much what has begun there may still become longer: which name, text or number it is going to
        be shows later."""
        if place.in_string:
            return max(self.string, self.member)
        return _NUMBER + self.choice if place.in_number else 0


def growth_of_schema(schema: Any) -> Growth | None:
    """None where no bounds are known."""
    if any(isinstance(node, dict) and not _PATTERNS.isdisjoint(node) for node in _within(schema)):
        return None
    parts = _Parts(schema)
    for _ in range(_MOST_ROUNDS):
        if not parts.improve():
            return parts.growth()
    return None


class _Parts:
    """For every schema within a schema, by its identity in memory, the least that its values need."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._nodes = [node for node in _within(root) if isinstance(node, dict)]
        self._least: dict[int, float] = {id(node): math.inf for node in self._nodes}
        # Of each name, wherever it stands: what requires a name need not be what describes it.
        self._properties: dict[str, list[Any]] = {}
        for node in self._nodes:
            for name, value in _dict(node.get("properties")).items():
                self._properties.setdefault(name, []).append(value)

    def improve(self) -> bool:
        """Once through all of them; whether any bound has become smaller."""
        changed = False
        for node in self._nodes:
            least = self._value(node)
            changed |= least < self._least[id(node)]
            self._least[id(node)] = least
        return changed

    def growth(self) -> Growth | None:
        """None if a value has no end, or what it refers to is not here."""
        nodes = self._nodes
        literals = max(map(self._literals, nodes), default=0.0)
        largest = (
            max([literals, *map(self._string, nodes)]),
            max([literals, *map(self._array, nodes)]),
            max([literals, *map(self._object, nodes)]),
            max([literals, *(size for node in nodes for size in self._elements(node))], default=0.0),
            max([literals, *(size for node in nodes for size in self._members(node))], default=0.0),
        )
        # A schema that refers to another takes what that needs with it, so all of a value is in each.
        referring = max((self._branches(node) for node in nodes), default=0.0)
        if math.inf in (*largest, referring):
            return None
        sizes = [int(size + referring) + _SHORT for size in largest]
        if not all(map(_shows_at_once, nodes)):
            # Any name or value may decide on the branch, and each may need most of what there is.
            most = max(sizes)
            return Growth(most, most, most, most, most, most)
        string, array, object_, element, member = sizes
        return Growth(string, array, object_, element, 0 if _is_closed(self._root) else member, 0)

    def _value(self, schema: dict[str, Any]) -> float:
        kinds = schema.get("type")
        kinds = _ALL_KINDS if kinds is None else [kinds] if isinstance(kinds, str) else kinds
        of_kind = {"string": self._string, "array": self._array, "object": self._object}
        sizes = [of_kind[kind](schema) if kind in of_kind else _NUMBER for kind in kinds]
        return max([*sizes, self._literals(schema)]) + self._branches(schema)

    def _branches(self, schema: dict[str, Any]) -> float:
        size = 0.0
        for key in _BRANCHES:
            sizes = [self._seen(branch) for branch in _list(schema.get(key))]
            size += sum(sizes) if key == "allOf" else max(sizes, default=0)
        return size + (self._seen(self._target(schema["$ref"])) if "$ref" in schema else 0)

    def _seen(self, schema: Any) -> float:
        if schema is _ELSEWHERE:
            return math.inf
        return self._least[id(schema)] if isinstance(schema, dict) else _SHORT

    def _target(self, reference: Any) -> Any:
        if reference == "#":
            return self._root
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return _ELSEWHERE
        node = self._root
        for part in reference[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            node = node.get(name, _ELSEWHERE) if isinstance(node, dict) else _ELSEWHERE
        return node

    def _literals(self, schema: dict[str, Any]) -> float:
        values = [schema["const"]] if "const" in schema else []
        return max(map(_length, values + _list(schema.get("enum"))), default=0)

    def _string(self, schema: dict[str, Any]) -> float:
        form = schema.get("format")
        size = 0 if form is None else _FORMATS.get(form, _OTHER_FORMAT) if isinstance(form, str) else 0
        return size + 2 + _times(schema.get("minLength"), 1)

    def _array(self, schema: dict[str, Any]) -> float:
        return 2 + _times(schema.get("minItems"), max(self._elements(schema)))

    def _object(self, schema: dict[str, Any]) -> float:
        size = 2 + _times(schema.get("minProperties"), max(self._members(schema)))
        further = self._seen(schema.get("additionalProperties"))
        for name in map(str, _list(schema.get("required"))):
            values = map(self._seen, self._properties.get(name, []))
            size += len(orjson.dumps(name)) + 2 + max([further, *values])
        return size

    def _elements(self, schema: dict[str, Any]) -> list[float]:
        items = [schema.get("items"), *_list(schema.get("prefixItems")), *_list(schema.get("items"))]
        return [self._seen(item) + 1 for item in items]

    def _members(self, schema: dict[str, Any]) -> Iterator[float]:
        yield from self._elements(schema)
        yield _NUMBER + self._seen(schema.get("additionalProperties"))
        for name, value in _dict(schema.get("properties")).items():
            yield len(orjson.dumps(name)) + 2 + self._seen(value)


def _shows_at_once(schema: dict[str, Any]) -> bool:
    """Whether the first byte of a value tells which of the branches it is in."""
    for key in _CHOICES:
        kinds = [kind for branch in _list(schema.get(key)) for kind in _kinds(branch) or _ALL_KINDS]
        if len(kinds) > len(set(kinds)):
            return False
    return True


def _kinds(schema: Any) -> list[str]:
    """Those that a schema names, none if it names none; integers are numbers."""
    kinds = _dict(schema).get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else _list(kinds)
    return ["number" if kind == "integer" else kind for kind in kinds]


def _is_closed(schema: Any) -> bool:
    """Whether all objects in its values must have all the members that they may have. False as well where
    that is not easily seen."""
    if not isinstance(schema, dict) or not schema.keys() <= _SIMPLE_KEYWORDS:
        return False
    inner = [*_list(schema.get("prefixItems")), *_list(schema.get("anyOf"))]
    for key in ("$defs", "definitions", "properties"):
        inner += _dict(schema.get(key)).values()
    if "items" in schema:
        inner.append(schema["items"])
    if not all(map(_is_closed, inner)):
        return False
    literals = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
    if literals:
        return not any(isinstance(value, dict | list) for value in literals)
    kinds = _kinds(schema)
    if "$ref" in schema or "anyOf" in schema:
        return not kinds and "properties" not in schema
    if "array" in kinds and "items" not in schema:
        return False
    names = _dict(schema.get("properties")).keys()
    has_all = schema.get("additionalProperties") is False and names <= {*_list(schema.get("required"))}
    return bool(kinds) and ("object" not in kinds or has_all)


_SIMPLE_KEYWORDS = frozenset(
    (
        *("type", "const", "enum", "anyOf", "$ref", "$defs", "definitions"),
        *("properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems"),
        *("minLength", "maxLength", "format", "multipleOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("$schema", "$id", "title", "description", "default", "examples"),
    )
)


def _length(literal: Any) -> int:
    """At least the bytes that it has in an answer, where numbers have no exponents."""
    numbers = [one for one in _within(literal) if isinstance(one, float)]
    return len(orjson.dumps(literal)) + sum(len(f"{Decimal(repr(one)):f}") for one in numbers)


def _within(schema: Any) -> list[Any]:
    found, waiting = [], [schema]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return found


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _times(count: Any, size: float) -> float:
    """Nothing is as good as no count; and none of what has no end takes no room."""
    return count * size if isinstance(count, int | float) and count > 0 else 0.0
