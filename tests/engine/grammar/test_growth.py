from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.random_schema import random_schema

from wending.engine.constraint import Constraint
from wending.engine.errors import InvalidRequest
from wending.engine.grammar.grammar import Grammar, Grammars
from wending.engine.grammar.growth import Growth, Place, growth_of_schema
from wending.engine.grammar.guide import MARGIN
from wending.model.published import open_published
from wending.model.tokenizer import Tokenizer

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 9},
        "age": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "role": {"enum": ["sales", "human resources and all that belongs to them", 3]},
        "parents": {"type": "array", "items": {"$ref": "#/$defs/place"}, "maxItems": 2},
    },
    "required": ["name", "age", "role", "parents"],
    "additionalProperties": False,
    "$defs": {
        "place": {
            "type": "object",
            "properties": {"long": {"type": "number"}, "lat": {"type": "number"}},
            "required": ["long", "lat"],
            "additionalProperties": False,
        }
    },
}
CLOSED: list[Any] = [PERSON, {"type": "array", "items": PERSON, "$defs": PERSON["$defs"]}]
KINDS = {
    "anyOf": [
        PERSON | {"properties": {"k": {"const": 1}}, "required": ["k"]},
        PERSON
        | {
            "properties": {"k": {"const": 2}, "x": {"type": "array", "items": PERSON, "minItems": 3}},
            "required": ["k", "x"],
        },
    ],
    "$defs": PERSON["$defs"],
}
OPEN: list[Any] = [
    PERSON | {"additionalProperties": True},
    PERSON | {"required": ["name"]},
    {"type": "object"},
    {"items": {}},
    {"enum": [{"a": 1}]},
    {"anyOf": [PERSON, {"type": "object"}], "$defs": PERSON["$defs"]},
    KINDS,
]


@pytest.fixture(scope="module")
def tokenizer(demo_folder: Path) -> Tokenizer:
    return open_published(demo_folder).tokenizer


@pytest.fixture(scope="module")
def grammars(tokenizer: Tokenizer) -> Grammars:
    return Grammars(tokenizer, frozenset([tokenizer.added_tokens["<|im_end|>"]]))


def known(grammars: Grammars) -> Iterator[tuple[Grammar, Growth]]:
    """The grammars with bounds, of schemas such as those above and random ones."""
    numbers = random.Random(11)
    for schema in [*(CLOSED + OPEN) * 4, *(random_schema(numbers) for _ in range(80))]:
        try:
            grammar = grammars.get(Constraint("json_schema", json.dumps(schema)))
        except InvalidRequest:
            continue
        if isinstance(grammar.growth, Growth):
            yield grammar, grammar.growth


@pytest.mark.parametrize("seed", [1, 2])
def test_the_way_to_an_end_is_never_longer_than_the_bound(
    tokenizer: Tokenizer, grammars: Grammars, seed: int
) -> None:
    numbers = random.Random(seed)
    liked = [tokenizer.encode(text)[0] for text in ("{", "}", "[", "]", '"', ":", ",", "1", "2", '{"', '":')]
    mask = np.zeros(-(-tokenizer.vocab_size // 32), np.uint32)
    tried = 0
    for grammar, growth in known(grammars):
        matcher, place, longest = grammar.start.deep_copy(), growth.begin, len(grammar.ending)
        for _ in range(50):
            matcher.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
            bits = np.unpackbits(mask.view(np.uint8), bitorder="little")[: tokenizer.vocab_size]
            frequent = [token for token in liked if bits[token]]
            among = frequent if frequent and numbers.random() < 0.7 else np.flatnonzero(bits).tolist()
            token = int(numbers.choice(among))
            if not tokenizer.token_bytes(token):
                break
            matcher.consume_token(token)
            place, more = growth.over(place, tokenizer.token_bytes(token))
            longest += more
            ending = grammars.endings.find(matcher, grammar.hints)
            assert ending is not None
            assert len(ending) <= MARGIN * longest, (growth, place)
            tried += 1
            if numbers.random() < 0.3:  # as a guide does that looks for the way here
                longest = len(ending) + growth.pending(place)
    assert tried > 1000


@pytest.mark.parametrize("schema", CLOSED)
def test_names_cost_nothing_where_objects_have_all_that_they_may_have(schema: Any) -> None:
    growth = growth_of_schema(schema)
    assert growth is not None
    assert growth.member == 0
    place, before = growth.over(Place(), b'{"name')
    place, after = growth.over(place, b'": "", "age')
    assert (before, after) == (growth.object, growth.string)


@pytest.mark.parametrize("schema", OPEN)
def test_names_cost_something_elsewhere(schema: Any) -> None:
    growth = growth_of_schema(schema)
    assert growth is not None
    assert growth.member > 0


def test_literals_are_as_long_as_they_are_without_exponents() -> None:
    growth = growth_of_schema({"items": {"const": {"a": [1e300]}}})
    assert growth is not None
    assert growth.element > 300


def test_no_bounds_for_patterns() -> None:
    assert growth_of_schema({"items": {"type": "string", "pattern": "a"}}) is None
