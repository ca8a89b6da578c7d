from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from wending.engine.constraint import Constraint
from wending.engine.errors import InvalidRequest
from wending.engine.grammar.grammar import Grammars
from wending.engine.grammar.growth import Place
from wending.engine.grammar.guide import Guide
from wending.engine.grammar.tool_calls import growth_of_tool_calls, lark_of_tool_calls
from wending.model.published import open_published
from wending.model.tokenizer import Tokenizer

DAYS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"enum": ["C", "F"]},
        "days": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
CODE = {
    "type": "object",
    "properties": {"code": {"type": "string", "pattern": "^[A-Z]{3}$"}},
    "required": ["code"],
}
SCHEMAS: dict[str, Any] = {"days": DAYS, "code": CODE, "any": {"type": "object"}}
CALL = re.compile(r'<tool_call>\n\{"name": "(\w+)", "arguments": (.*?)\}\n</tool_call>', re.S)


def calls_of(*names: str, **fields: Any) -> Constraint:
    tools = [{"name": name, "schema": SCHEMAS[name], "field": f"tools.{name}"} for name in names]
    source = {"callable": tools, "required": False, "parallel": True, "content": None} | fields
    return Constraint("tools", json.dumps(source), "tools")


CONSTRAINTS = [
    calls_of("days"),
    calls_of("days", "code", "any"),
    calls_of("days", "any", required=True),
    calls_of("code", required=True, parallel=False),
    calls_of("any", content={"schema": {"enum": [1, "x"]}, "field": "f"}),
    calls_of(),
]


@pytest.fixture(scope="module")
def tokenizer(demo_folder: Path) -> Tokenizer:
    return open_published(demo_folder).tokenizer


@pytest.fixture(scope="module")
def grammars(tokenizer: Tokenizer) -> Grammars:
    return Grammars(tokenizer, frozenset([tokenizer.added_tokens["<|im_end|>"]]))


def random_answer(
    tokenizer: Tokenizer, grammars: Grammars, constraint: Constraint, budget: int, numbers: random.Random
) -> str:
    """Of a model that likes tags and what JSON is made of."""
    liked = [tokenizer.encode(text)[0] for text in ("{", "}", "[", "]", '"', ":", ",", "1", "A", "\n", '":')]
    liked += [tokenizer.added_tokens[tag] for tag in ("<tool_call>", "</tool_call>")]
    guide, said = Guide(grammars.get(constraint), grammars, budget), list[int]()
    mask = np.zeros(-(-tokenizer.vocab_size // 32), np.uint32)
    while not guide.complete and len(said) < budget:
        guide.fill(mask)
        bits = np.unpackbits(mask.view(np.uint8), bitorder="little")[: tokenizer.vocab_size]
        frequent = [token for token in liked if bits[token]]
        among = frequent if frequent and numbers.random() < 0.8 else np.flatnonzero(bits).tolist()
        token = int(numbers.choice(among))
        if token == tokenizer.added_tokens["<|im_end|>"]:
            break
        said += guide.take(token)
    assert len(said) <= budget
    return tokenizer.decode(said)


@pytest.mark.parametrize("constraint", CONSTRAINTS, ids=lambda one: one.source[:60])
def test_calls_are_whole_and_valid_at_any_budget(
    tokenizer: Tokenizer, grammars: Grammars, constraint: Constraint
) -> None:
    asked, numbers = json.loads(constraint.source), random.Random(7)
    least = max(1, len(grammars.get(constraint).ending))
    for further in [0, 1, 2, 5, 9, 14, 20, 30, 45, 60] * 3:
        text = random_answer(tokenizer, grammars, constraint, least + further, numbers)
        calls = CALL.findall(text)
        for name, arguments in calls:
            jsonschema_rs.validate(SCHEMAS[name], json.loads(arguments))
        beside = CALL.sub("", text)
        assert "<tool_call>" not in beside
        assert calls or not asked["required"]
        assert asked["parallel"] or len(calls) == 1
        if asked["required"]:
            assert not beside.strip("\n")
        if asked["content"] is not None and not calls:
            assert json.loads(text) in (1, "x")


def test_a_tag_is_a_token_and_not_its_letters(tokenizer: Tokenizer, grammars: Grammars) -> None:
    guide = Guide(grammars.get(calls_of("any")), grammars, 100)
    for token in tokenizer.encode("a <tool_call"):
        guide.take(token)
    mask = np.zeros(-(-tokenizer.vocab_size // 32), np.uint32)
    guide.fill(mask)
    bits = np.unpackbits(mask.view(np.uint8), bitorder="little")
    assert not bits[tokenizer.encode(">")[0]]
    tag = tokenizer.added_tokens["<tool_call>"]
    assert bits[tag]
    assert tokenizer.decode(guide.take(tag)).startswith('<tool_call>\n{"name": "any')


def test_the_shortest_answers(tokenizer: Tokenizer, grammars: Grammars) -> None:
    def shortest(constraint: Constraint) -> str:
        return tokenizer.decode(list(grammars.get(constraint).ending))

    assert shortest(calls_of("days")) == ""
    call = '<tool_call>\n{"name": "days", "arguments": {"city":"","days":[1,1]}}\n</tool_call>'
    assert shortest(calls_of("days", required=True)) == call


def test_what_a_schema_has_that_cannot_be_enforced(grammars: Grammars) -> None:
    tool = {"name": "f", "schema": {"type": "object", "minProperties": 1, "not": {}}, "field": "tools[3].x"}
    with pytest.raises(InvalidRequest, match="keyword that cannot be enforced") as error:
        grammars.get(calls_of(callable=[tool]))
    assert error.value.field == "tools[3].x"


def test_a_model_without_the_tags() -> None:
    with pytest.raises(InvalidRequest, match="no tokens <tool_call> and </tool_call>"):
        lark_of_tool_calls(calls_of("any"), {"<tool_call>": 1})


def test_bounds_know_text_from_calls() -> None:
    growth = growth_of_tool_calls(calls_of("days", "any"))
    assert growth is not None
    place, more = growth.over(growth.begin, b'He said "hi, {')
    assert (place, more) == (None, 0)
    place, more = growth.over(place, b'.<tool_call>\n{"name": "days", "arguments": {"city": "')
    assert place == Place(in_string=True, within=b"{{")
    assert more > growth.call
    place, _ = growth.over(place, b'</tool_call>", "days": [1, 2]}}\n</tool_call>')
    assert place is None
    assert growth.pending(place) == 0


def test_no_bounds_where_a_schema_has_none() -> None:
    assert growth_of_tool_calls(calls_of("days", "code")) is None
