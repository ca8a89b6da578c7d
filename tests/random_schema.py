"""Random JSON schemas of the kinds that applications write."""

from __future__ import annotations

import random
from typing import Any

NAMES = ["name", "id", "items", "total", "ok", "born", "街道", "unit price", "a", "tags", "e-mail"]
FORMATS = ["date", "time", "date-time", "email", "uuid", "ipv4", "hostname"]
PATTERNS = ["^[A-Z]{2}[0-9]{3}$", "^(yes|no)$", "^[a-z]+(-[a-z]+)*$", "^#[0-9a-f]{6}$", "[aeiou]"]


def random_schema(numbers: random.Random, depth: int = 3) -> dict[str, Any]:
    """A schema with at most `depth` levels of arrays and objects."""
    kinds = [_string, _number, _integer, _literal, _simple]
    if depth:
        kinds += [_array, _object, _object, _any_of]
    return numbers.choice(kinds)(numbers, depth)


def _string(numbers: random.Random, _depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    kind = numbers.randrange(5)
    if kind == 0:
        schema["format"] = numbers.choice(FORMATS)
    elif kind == 1:
        schema["pattern"] = numbers.choice(PATTERNS)
    elif kind == 2:
        schema["minLength"] = numbers.randrange(9)
        schema["maxLength"] = schema["minLength"] + numbers.randrange(30)
    return schema


def _number(numbers: random.Random, _depth: int) -> dict[str, Any]:
    low = numbers.choice([-10.5, 0, 0.25, 100])
    bounds: dict[str, Any] = {"minimum": low, "maximum": low + numbers.choice([0.5, 10, 1000])}
    return {"type": "number"} | {
        key: bounds[key] for key in numbers.sample(list(bounds), numbers.choice([1, 2]))
    }


def _integer(numbers: random.Random, _depth: int) -> dict[str, Any]:
    low = numbers.choice([-3, 0, 18, 1000])
    bounds: dict[str, Any] = {"minimum": low, "maximum": low + numbers.choice([0, 5, 100])}
    return {"type": "integer"} | {
        key: bounds[key] for key in numbers.sample(list(bounds), numbers.randrange(3))
    }


def _literal(numbers: random.Random, _depth: int) -> dict[str, Any]:
    values = numbers.sample(
        ["red", "红", 'quo"te', 1, 2.5, None, True, {"k": [1]}, ""], numbers.randrange(1, 5)
    )
    return {"enum": values} if numbers.random() < 0.8 else {"const": values[0]}


def _simple(numbers: random.Random, _depth: int) -> dict[str, Any]:
    return {"type": numbers.choice(["boolean", "null", ["string", "null"], ["integer", "boolean"]])}


def _array(numbers: random.Random, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array", "items": random_schema(numbers, depth - 1)}
    least = numbers.choice([0, 0, 1, 3])
    if least:
        schema["minItems"] = least
    if numbers.random() < 0.5:
        schema["maxItems"] = least + numbers.randrange(4)
    return schema


def _object(numbers: random.Random, depth: int) -> dict[str, Any]:
    names = numbers.sample(NAMES, numbers.randrange(1, 5))
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: random_schema(numbers, depth - 1) for name in names},
        "required": numbers.sample(names, numbers.randrange(len(names) + 1)),
    }
    if numbers.random() < 0.7:
        schema["additionalProperties"] = False
    return schema


def _any_of(numbers: random.Random, depth: int) -> dict[str, Any]:
    return {"anyOf": [random_schema(numbers, depth - 1) for _ in range(numbers.randrange(2, 4))]}
