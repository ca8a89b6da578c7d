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


def test_a_schema_cannot_loosen_its_own_enforcement() -> None:
    refusal({"uniqueItems": True, "x-guidance": {"lenient": True}})
    overlapping = {"oneOf": [{"type": "integer"}, {"type": "number"}], "x-guidance": {"coerce_one_of": True}}
    refusal(overlapping)
