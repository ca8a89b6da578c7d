from __future__ import annotations

import json
from typing import Any

import pytest
from llguidance import LLMatcher, LLTokenizer

from wending.engine.errors import InvalidRequest
from wending.engine.grammar.ending import completes
from wending.engine.grammar.json_schema import grammar_of_schema


def refusal(schema: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as error:
        grammar_of_schema(schema if isinstance(schema, str) else json.dumps(schema), "the_field")
    assert error.value.field == "the_field"
    return error.value


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"not": {}}, "/not"),
        ({"items": {"items": {"uniqueItems": True}}}, "/items/items/uniqueItems"),
        ({"properties": {"not": {"not": {}}}}, "/properties/not/not"),
        ({"properties": {"a/b~": {"if": {}}}}, "/properties/a~1b~0/if"),
        ({"$defs": {"x": {"contains": {}}}, "$ref": "#/$defs/x"}, "/$defs/x/contains"),
        ({"anyOf": [{"type": "null"}, {"not": {}}]}, "/anyOf/1/not"),
        ({"properties": {"a": {"type": "string", "format": "byte"}}}, "/properties/a/format"),
    ],
)
def test_names_the_place_of_what_cannot_be_enforced(schema: Any, place: str) -> None:
    assert f"at {place} " in refusal(schema).message


def test_data_is_not_taken_for_keywords() -> None:
    grammar_of_schema('{"enum": [{"not": 1}], "default": {"uniqueItems": true}}', "x")
    assert "at /items/not " in refusal({"default": {"not": 1}, "items": {"not": {}}}).message


@pytest.mark.parametrize("schema", ["{", "", "3", '"a"', "[]"])
def test_what_is_no_schema(schema: str) -> None:
    refusal(schema)


@pytest.mark.parametrize("upper", [{}, {"maximum": 0.01}, {"exclusiveMaximum": 0.5}, {"maximum": 7}])
def test_a_bound_is_kept_or_refused(upper: dict[str, float]) -> None:
    schema = {"items": {"type": "number", "exclusiveMinimum": 0} | upper}
    source = json.dumps(schema)
    if upper.get("maximum") == 7 or not upper:
        assert not completes(LLMatcher(LLTokenizer("byte"), grammar_of_schema(source, "x")), list(b"[0]"))
    else:
        assert "at /items/exclusiveMinimum " in refusal(source).message


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"const": 2**53 + 1}, "/const"),
        ({"items": {"enum": ["a", {"x": [-(2**53) - 1]}]}}, "/items/enum"),
        ({"type": "integer", "maximum": 123456789012345678}, "/maximum"),
        ({"type": "integer", "minimum": 123456789012345670}, "/minimum"),
        ({"type": "integer", "exclusiveMaximum": 123456789012345677}, "/exclusiveMaximum"),
    ],
)
def test_integers_that_the_grammar_would_round_are_refused(schema: Any, place: str) -> None:
    assert f"at {place} " in refusal(schema).message


@pytest.mark.parametrize(
    ("schema", "inside", "outside"),
    [
        ({"const": 2**53 + 2}, [2**53 + 2], [2**53]),
        ({"type": "integer", "maximum": 2**63 - 1}, [2**63 - 1, -1], [2**63]),
        ({"type": "number", "exclusiveMaximum": 1}, [-1, 0, 0.5], [1, 2]),
        ({"type": "number", "exclusiveMinimum": -1}, [1, 0, -0.5], [-1, -2]),
    ],
)
def test_bounds_and_literals_that_are_kept(schema: Any, inside: list[float], outside: list[float]) -> None:
    matcher = LLMatcher(LLTokenizer("byte"), grammar_of_schema(json.dumps(schema), "x"))
    assert all(completes(matcher, list(json.dumps(number).encode())) for number in inside)
    assert not any(completes(matcher, list(json.dumps(number).encode())) for number in outside)


def test_a_schema_cannot_loosen_its_own_enforcement() -> None:
    refusal({"uniqueItems": True, "x-guidance": {"lenient": True}})
    overlapping = {"oneOf": [{"type": "integer"}, {"type": "number"}], "x-guidance": {"coerce_one_of": True}}
    refusal(overlapping)
