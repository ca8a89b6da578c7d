"""How much longer the way to a complete text can become where a JSON text goes one level deeper.

While that and the tokens that are left say that a text can be completed in any case, nobody needs to look for
the way. Only an upper bound, and none for schemas whose strings have patterns.
"""

from __future__ import annotations

import math
from typing import Any

import orjson

_MOST_ROUNDS = 64
"""Through schemas that refer to each other, until the bounds no longer change."""
_NUMBER, _STRING_FORMAT, _SHORT = 64, 96, 8
"""Characters of a number within limits, of a string with a format, and of true, null and the like."""
_PATTERNS = frozenset(("pattern", "patternProperties", "propertyNames"))
_BRANCHES = ("anyOf", "oneOf", "allOf")


def growth_of_schema(schema: Any) -> int | None:
    """Characters, and so at least as many tokens as, that any value in the schema's texts needs at least.

    None where no bound is known.
    """
    if _has_patterns(schema):
        return None
    bounds = _Bounds(schema)
    for _ in range(_MOST_ROUNDS):
        if not bounds.improve():
            return bounds.largest()
    return None


class _Bounds:
    """For every schema within a schema, by its identity in memory."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._nodes = [node for node in _within(root) if isinstance(node, dict)]
        self._bounds: dict[int, float] = {id(node): math.inf for node in self._nodes}
        # Of each name, wherever it stands: what requires a name need not be what describes it.
        self._properties: dict[str, list[Any]] = {}
        for node in self._nodes:
            for name, value in _dict(node.get("properties")).items():
                self._properties.setdefault(name, []).append(value)

    def improve(self) -> bool:
        changed = False
        for node in self._nodes:
            bound = self._value(node)
            changed |= bound < self._bounds[id(node)]
            self._bounds[id(node)] = bound
        return changed

    def largest(self) -> int | None:
        """None if a value has no end, or what it refers to is not here."""
        largest = max(self._bounds.values(), default=0.0)
        return None if largest == math.inf else int(largest) + _SHORT

    def _value(self, schema: dict[str, Any]) -> float:
        kinds = (self._literals(schema), self._string(schema), self._array(schema), self._object(schema))
        bound = max(*kinds, _NUMBER)
        for key in _BRANCHES:
            sizes = [self._seen(branch) for branch in _list(schema.get(key))]
            bound += sum(sizes) if key == "allOf" else max(sizes, default=0)
        return bound + (self._seen(self._target(schema["$ref"])) if "$ref" in schema else 0)

    def _seen(self, schema: Any) -> float:
        if schema is _ELSEWHERE:
            return math.inf
        return self._bounds[id(schema)] if isinstance(schema, dict) else _SHORT

    def _target(self, reference: Any) -> Any:
        node = self._root
        if reference == "#":
            return node
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return _ELSEWHERE
        for part in reference[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            node = node.get(name, _ELSEWHERE) if isinstance(node, dict) else _ELSEWHERE
        return node

    def _literals(self, schema: dict[str, Any]) -> float:
        values = [schema["const"]] if "const" in schema else []
        if isinstance(schema.get("enum"), list):
            values += schema["enum"]
        return max((6 * len(orjson.dumps(value)) for value in values), default=0)

    def _string(self, schema: dict[str, Any]) -> float:
        return _STRING_FORMAT * ("format" in schema) + 2 + _count(schema.get("minLength"))

    def _array(self, schema: dict[str, Any]) -> float:
        items = [schema.get("items"), *_list(schema.get("prefixItems")), *_list(schema.get("items"))]
        each = max(self._seen(item) for item in items) + 2
        return 2 + _count(schema.get("minItems")) * each

    def _object(self, schema: dict[str, Any]) -> float:
        further = self._seen(schema.get("additionalProperties"))
        properties = [*_dict(schema.get("properties")).items()]
        each = max((6 * len(name) + 4 + self._seen(value) for name, value in properties), default=0)
        size = 2 + _count(schema.get("minProperties")) * max(each, further + _NUMBER)
        for name in map(str, _list(schema.get("required"))):
            values = self._properties.get(name, [])
            size += 6 * len(name) + 4 + max([further, *map(self._seen, values)])
        return size


_ELSEWHERE = object()


def _within(schema: Any) -> list[Any]:
    found, waiting = [], [schema]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return found


def _has_patterns(schema: Any) -> bool:
    return any(isinstance(node, dict) and not _PATTERNS.isdisjoint(node) for node in _within(schema))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
