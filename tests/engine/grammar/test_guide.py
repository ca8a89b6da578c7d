from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from wending.engine.constraint import Constraint
from wending.engine.errors import InvalidRequest
from wending.engine.grammar.errors import GrammarBroken
from wending.engine.grammar.grammar import Grammars
from wending.engine.grammar.guide import Guide
from wending.model.published import open_published
from wending.model.tokenizer import Tokenizer

SCHEMAS: list[Any] = [
    {"type": "object"},
    {"type": "array", "items": {"type": "integer", "minimum": -5}, "minItems": 3},
    {"type": "string", "minLength": 5, "maxLength": 9},
    {"type": "string", "pattern": "^[a-z]{2,}!$"},
    {"type": "string", "pattern": "[一-鿿]"},
    {"type": "array", "items": {"type": "string", "pattern": "[0-9]+ (USD|EUR)"}, "minItems": 1},
    {"type": "string", "format": "date-time"},
    {"type": "number", "minimum": 0.001, "exclusiveMaximum": 0.01},
    {"enum": ["a", "ab", "abc", {"x": [1, 2]}, None]},
    {"const": {"deep": {"er": ["and", "so", "on"]}}},
    {"type": "object", "properties": {"far": {"minItems": 40, "type": "array", "items": {"const": "xyz"}}}},
    {
        "type": "object",
        "properties": {"child": {"$ref": "#"}, "name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    },
]


def shared_schemas() -> list[Any]:
    """Real schemas, where they lie beside the checkout or WENDING_SCHEMAS names a file with one a line."""
    beside = Path(__file__).parents[4] / "shared" / "json" / "schemas.jsonl"
    path = Path(os.environ.get("WENDING_SCHEMAS", beside))
    if not path.is_file():
        return []
    lines = path.read_text("utf-8").splitlines()
    return [json.loads(line)["schema"] for line in random.Random(1).sample(lines, 100)]


@pytest.fixture(scope="module")
def tokenizer(demo_folder: Path) -> Tokenizer:
    return open_published(demo_folder).tokenizer


@pytest.fixture(scope="module")
def grammars(tokenizer: Tokenizer) -> Grammars:
    return Grammars(tokenizer, frozenset([tokenizer.added_tokens["<|im_end|>"]]))


FREQUENT = ["{", "}", "[", "]", '"', ":", ",", "\n", "1", "a", '{"', '":', '",']


class RandomModel:
    """Chooses among the allowed tokens, those that JSON is made of more often than others."""

    def __init__(self, tokenizer: Tokenizer, seed: int) -> None:
        self._tokenizer = tokenizer
        self._numbers = random.Random(seed)
        self._eos = tokenizer.added_tokens["<|im_end|>"]
        self._frequent = {tokenizer.encode(text)[0] for text in FREQUENT}

    def answer(self, grammars: Grammars, constraint: Constraint, budget: int) -> list[int]:
        guide = Guide(grammars.get(constraint), grammars, budget)
        said: list[int] = []
        while not guide.complete and len(said) < budget:
            token = self._choose(guide)
            if token == self._eos:
                break
            said += guide.take(token)
        replayed = Guide(grammars.get(constraint), grammars, budget)
        replayed.replay(said)
        return said

    def _choose(self, guide: Guide) -> int:
        vocab_size = self._tokenizer.vocab_size
        mask = np.zeros(-(-vocab_size // 32), np.uint32)
        guide.fill(mask)
        allowed = np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little")[:vocab_size]).tolist()
        frequent = [token for token in allowed if token in self._frequent]
        return int(self._numbers.choice(frequent if frequent and self._numbers.random() < 0.8 else allowed))


def text_of(tokenizer: Tokenizer, token_ids: list[int]) -> str:
    return b"".join(map(tokenizer.token_bytes, token_ids)).decode()


def enforceable(grammars: Grammars) -> Iterator[tuple[Any, Constraint]]:
    for schema in [*SCHEMAS, *shared_schemas()]:
        constraint = Constraint("json_schema", json.dumps(schema))
        try:
            grammars.get(constraint)
        except InvalidRequest:
            assert schema not in SCHEMAS
            continue
        yield schema, constraint


@pytest.mark.parametrize("further", [0, 1, 2, 7, 30, 120])
def test_whole_and_valid_at_any_budget(tokenizer: Tokenizer, grammars: Grammars, further: int) -> None:
    model = RandomModel(tokenizer, further)
    for schema, constraint in enforceable(grammars):
        budget = len(grammars.get(constraint).ending) + further
        said = model.answer(grammars, constraint, budget)
        assert len(said) <= budget
        text = text_of(tokenizer, said)
        assert jsonschema_rs.is_valid(schema, json.loads(text)), (schema, text)


def test_the_shortest_answers(tokenizer: Tokenizer, grammars: Grammars) -> None:
    def shortest(schema: Any) -> str:
        ending = grammars.get(Constraint("json_schema", json.dumps(schema))).ending
        return text_of(tokenizer, list(ending))

    assert shortest({"type": "object"}) == "{}"
    assert shortest({"type": "array"}) == "[]"
    assert shortest({"type": "string"}) == '""'
    assert shortest({"enum": ["a"]}) == '"a"'
    names = {"type": "object", "properties": {"long": {}, "b": {"type": "null"}}, "required": ["b"]}
    assert shortest(names) == '{"b":null}'


def test_no_more_white_space_than_eight_characters(tokenizer: Tokenizer, grammars: Grammars) -> None:
    guide = Guide(grammars.get(Constraint("json_schema", '{"type": "array"}')), grammars, 100)
    said = guide.take(tokenizer.encode("[")[0])
    space, mask = tokenizer.encode("\t")[0], np.zeros(-(-tokenizer.vocab_size // 32), np.uint32)
    spaces = 0
    while True:
        guide.fill(mask)
        if not mask[space // 32] >> (space % 32) & 1:
            break
        said += guide.take(space)
        spaces += 1
    assert spaces == 8


def test_what_must_follow_follows_at_once(tokenizer: Tokenizer, grammars: Grammars) -> None:
    guide = Guide(grammars.get(Constraint("json_schema", '{"const": "a long constant"}')), grammars, 100)
    first = tokenizer.encode('"')[0]
    assert len(guide.take(first)) > 2


def test_how_many_tokens_may_follow(tokenizer: Tokenizer, grammars: Grammars) -> None:
    guide = Guide(grammars.get(Constraint("json_schema", '{"type": "array"}')), grammars, 100)
    tokens = tokenizer.encode("[ 1 ,1x")
    assert guide.num_allowed(tokens) == len(tokens) - 1
    assert guide.take(tokens[0]) == [tokens[0]]
    assert guide.num_allowed(tokens[1:]) == len(tokens) - 2


def test_replay_refuses_what_the_grammar_does_not_lead_to(tokenizer: Tokenizer, grammars: Grammars) -> None:
    guide = Guide(grammars.get(Constraint("json_schema", '{"const": "a long constant"}')), grammars, 100)
    with pytest.raises(GrammarBroken):
        guide.replay([*tokenizer.encode('"'), tokenizer.encode("x")[0]])
