from __future__ import annotations

from typing import Any

import pytest

from wending.serve.guard.answer_schema import (
    MAX_PROBLEM_CHARACTERS,
    MAX_PROBLEMS,
    AnswerSchema,
    InvalidSchema,
    json_pointer,
)


@pytest.mark.parametrize(
    ("schema", "pointer", "said"),
    [
        ({"type": "objekt"}, "/type", "objekt"),
        ({"properties": {"a/b": {"pattern": "("}}}, "/properties/a~1b/pattern", "regex"),
        ({"items": {"enum": 3}}, "/items/enum", "array"),
        ([], "", "object"),
        ({"$ref": "http://example.invalid/x"}, "/$ref", "not fetched"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "/properties/a/$ref", "not fetched"),
        ({"properties": {"a": {"$ref": "other.json"}}}, "/properties/a/$ref", "other.json"),
        ({"anyOf": [{}, {"$ref": "#/$defs/none"}]}, "/anyOf/1/$ref", "/$defs/none"),
        ({"$schema": "http://example.invalid/draft"}, "", "meta-schema"),
    ],
)
def test_what_cannot_be_compiled_names_its_place(schema: Any, pointer: str, said: str) -> None:
    with pytest.raises(InvalidSchema) as refused:
        AnswerSchema(schema)
    assert refused.value.pointer == pointer
    assert said in refused.value.reason


def test_too_deep_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(3000):
        schema = {"items": schema}
    with pytest.raises(InvalidSchema):
        AnswerSchema(schema)


def test_problems_carry_pointers_and_are_bounded() -> None:
    schema = AnswerSchema({"items": {"type": "integer"}})
    assert schema.problems([1, 2]) == ()
    problems = schema.problems(["x" * 1000] * 100)
    assert len(problems) == MAX_PROBLEMS
    assert problems[1].startswith("/1: ")
    assert all(len(problem) <= MAX_PROBLEM_CHARACTERS for problem in problems)


def test_the_whole_value_and_formats() -> None:
    assert AnswerSchema({"type": "string"}).problems(1) == ('the whole value: 1 is not of type "string"',)
    assert AnswerSchema({"format": "date"}).problems("yesterday")
    assert AnswerSchema({"type": "string"}).problems("\ud800")


def test_json_pointer() -> None:
    assert json_pointer(["a/b", 0, "~"]) == "/a~1b/0/~0"
    assert json_pointer([]) == ""
