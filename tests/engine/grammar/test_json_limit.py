from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import orjson
import pytest

from wending.engine.constraint import Constraint
from wending.engine.grammar.grammar import Grammars
from wending.engine.grammar.guide import Guide
from wending.engine.grammar.json_limit import (
    MOST_DEPTH,
    MOST_DIGITS,
    MOST_SIGNIFICANT,
    JSONLimit,
    JSONState,
    json_state,
    over,
    within_limits,
)
from wending.model.published import open_published
from wending.model.tokenizer import Tokenizer

MANY_DIGITS = [
    b"000",
    b"123",
    b"99",
    b"1},",
    b"1.5",
    b".5e",
    b"e10",
    b"0e400",
    b"E+",
    b"e-",
    b'": 1e999',
    b"1" * 41,
]


class OtherTokenizer:
    """One whose tokens have several digits, as Qwen2.5's have not: all bytes, and a few tokens of more."""

    def __init__(self) -> None:
        self._tokens = [*(bytes([octet]) for octet in range(256)), *MANY_DIGITS, b""]
        self.vocab_size = len(self._tokens)
        self.added_tokens = {"<|im_end|>": self.vocab_size - 1}
        self.special_token_ids = frozenset(self.added_tokens.values())

    def token_bytes(self, token: int) -> bytes:
        return self._tokens[token]

    def encode(self, text: str) -> list[int]:
        return list(text.encode())


@pytest.fixture(scope="module")
def demo(demo_folder: Path) -> Tokenizer:
    return open_published(demo_folder).tokenizer


@pytest.mark.parametrize(
    ("number", "within"),
    [
        (b"", True),
        (b"-", True),
        (b"1" * 40, True),
        (b"-" + b"1" * 40, True),
        (b"1" * 41, False),
        (b"0." + b"1" * 17, True),
        (b"0." + b"1" * 18, False),
        (b"1." + b"1" * 16, True),
        (b"1." + b"1" * 17, False),
        (b"0." + b"0" * 22 + b"1" * 17, True),
        (b"0." + b"0" * 23 + b"1" * 17, False),
        (b"1" * 16 + b".", True),
        (b"1" * 17 + b".", False),
        (b"1e", True),
        (b"1e307", True),
        (b"1e308", False),
        (b"0.5E+307", True),
        (b"1" * 40 + b"e268", True),
        (b"1" * 40 + b"e269", False),
        (b"1e-999", True),
        (b"1e-1000", False),
        (b"1e001", True),
        (b"1e0001", False),
    ],
)
def test_how_long_a_number_may_be(number: bytes, within: bool) -> None:
    assert within_limits(number, MOST_SIGNIFICANT) == within
    if within and number[-1:].isdigit():
        assert orjson.loads(number) == float(number)
    if within:
        assert any(within_limits(number + more, MOST_SIGNIFICANT) for more in (b"", b"1"))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("12", ["12"]),
        ("-0.5e-3", ["-0.5e-3"]),
        ('{"a1": 12, "b": [3,-4.5]}', ["12", "3", "-4.5"]),
        (r'["1\"2", "\\", 7, "\\\"8"]', ["7"]),
        ('["日 1", 2 ,true,false,null]', ["2"]),
    ],
)
def test_finds_numbers_and_no_strings_however_the_text_comes(text: str, numbers: Sequence[str]) -> None:
    octets = text.encode()
    for size in range(1, len(octets) + 1):
        state, found = JSONState(MOST_SIGNIFICANT), list[bytes]()
        for start in range(0, len(octets), size):
            before = state.number
            state, more, deepest = over(state, octets[start : start + size])
            assert deepest >= state.depth
            found = found[: len(found) - bool(before)] + (more if more or not before else [before])
        assert [number.decode() for number in found] == numbers, size
        assert state.depth == 0


def test_schemas_that_compare_numbers_have_them_shorter() -> None:
    plain, compared = {"minimum": 1}, {"items": [{"exclusiveMinimum": 1}]}
    assert json_state(plain, True).most_significant > json_state(compared, True).most_significant


def left(limit: JSONLimit, state: JSONState, tokens: Sequence[bytes], among: Sequence[bytes]) -> set[bytes]:
    """What remains of `among`."""
    allowed = np.zeros(-(-len(tokens) // 32), np.uint32)
    for token in among:
        allowed[tokens.index(token) // 32] |= np.uint32(1 << tokens.index(token) % 32)
    limit.narrow(state, allowed)
    return {token for i, token in enumerate(tokens) if allowed[i // 32] >> (i % 32) & 1}


def test_tokens_count_with_all_their_digits() -> None:
    tokens = [
        b"0",
        b"5",
        b"12",
        b"123",
        b"1},",
        b"12]",
        b".5",
        b".",
        b"e9",
        b"e99",
        b"e999",
        b"1e",
        b"12e",
        b",",
    ]
    limit = JSONLimit(tokens, {})

    def after(number: bytes) -> set[bytes]:
        return left(limit, JSONState(MOST_SIGNIFICANT, number=number), tokens, tokens)

    assert after(b"") == after(b"1") | {b"e999"} == set(tokens)
    assert after(b"7" * 38) == set(tokens) - {b"123", b".5", b".", b"e999"}
    assert after(b"7" * 39) == set(tokens) - {b"12", b"123", b"12]", b"12e", b".5", b".", b"e999"}
    assert after(b"7" * 40) == {b"e9", b"e99", b","}
    in_fraction = {b"0", b"5", b"12", b"123", b"1},", b"12]", b"e9", b"e99", b"e999", b"1e", b"12e", b","}
    assert after(b"0." + b"7" * 16) & in_fraction == {b"0", b"5", b"1},", b"e9", b"e99", b"1e", b","}
    in_exponent = {b"0", b"5", b"12", b"123", b"1},", b","}
    assert after(b"1e30") & in_exponent == {b"0", b"5", b"1},", b","}


def test_numbers_within_one_token() -> None:
    tokens = [b": 1e400", b'"1e400', b'": 1e400,', b",", b'"']
    limit = JSONLimit(tokens, {})
    state = JSONState(MOST_SIGNIFICANT)
    assert left(limit, state, tokens, tokens) == {b'"1e400', b'": 1e400,', b",", b'"'}
    assert left(limit, state._replace(in_string=True), tokens, tokens) == set(tokens) - {
        b'"1e400',
        b'": 1e400,',
    }
    assert left(limit, state._replace(in_json=False), tokens, tokens) == set(tokens)


def test_something_is_left_always() -> None:
    tokens = [b"0", b"5", b".", b","]
    limit = JSONLimit(tokens, {})
    state = JSONState(MOST_SIGNIFICANT, number=b"7" * MOST_DIGITS)
    assert left(limit, state, tokens, tokens) == {b","}
    assert left(limit, state, tokens, [b"0", b"5", b"."]) == {b"5"}
    assert left(limit, state, tokens, [b"0", b"."]) == {b"0", b"."}


def test_no_deeper_than_the_limit() -> None:
    tokens = [b"[", b'{"', b"]", b"][", b"[[]", b'"[', b'":[', b'": {"a": [', b"a"]
    limit = JSONLimit(tokens, {})

    def at(depth: int, in_string: bool = False) -> set[bytes]:
        return left(limit, JSONState(MOST_SIGNIFICANT, in_string=in_string, depth=depth), tokens, tokens)

    assert at(MOST_DEPTH - 2) == set(tokens)
    assert at(MOST_DEPTH - 1) == set(tokens) - {b"[[]"}
    assert at(MOST_DEPTH) == set(tokens) - {b"[", b'{"', b"[[]"}
    assert at(MOST_DEPTH - 2, in_string=True) == set(tokens)
    assert at(MOST_DEPTH - 1, in_string=True) == set(tokens) - {b'": {"a": ['}
    assert at(MOST_DEPTH, in_string=True) == set(tokens) - {b'": {"a": [', b'":[', b'"['}


def deep(levels: int) -> Any:
    """A schema whose values must have so many levels."""
    schema: Any = {"type": "integer"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema, "minItems": 1, "maxItems": 2}
    return schema


@pytest.mark.parametrize(("schema", "least", "most"), [({"type": "array"}, 64, 64), (deep(80), 80, 80)])
def test_brackets_end(demo: Tokenizer, schema: Any, least: int, most: int) -> None:
    grammars = Grammars(demo, frozenset([demo.added_tokens["<|im_end|>"]]))
    grammar = grammars.get(Constraint("json_schema", json.dumps(schema)))
    guide, said = Guide(grammar, grammars, 1000), list[int]()
    mask, bracket = np.zeros(-(-demo.vocab_size // 32), np.uint32), demo.encode("[")[0]
    numbers = random.Random(3)
    while not guide.complete:
        guide.fill(mask)
        allowed = np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little")).tolist()
        said += guide.take(bracket if bracket in allowed else numbers.choice(allowed))
    text = demo.decode(said)
    assert jsonschema_rs.is_valid(schema, orjson.loads(text))
    assert least <= over(JSONState(MOST_SIGNIFICANT), text.encode()).deepest <= most


def test_only_the_json_of_calls_counts(demo: Tokenizer) -> None:
    tags = {tag.encode(): demo.added_tokens[tag] for tag in ("<tool_call>", "</tool_call>")}
    limit = JSONLimit([demo.token_bytes(token) for token in range(demo.vocab_size)], tags)
    state = limit.after(JSONState(MOST_SIGNIFICANT, in_json=False), demo.encode('He said "12'))
    assert state == JSONState(MOST_SIGNIFICANT, in_json=False)
    state = limit.after(state, [tags[b"<tool_call>"], *demo.encode('\n{"name": "f", "arguments": {"a": 12')])
    assert state == JSONState(MOST_SIGNIFICANT, number=b"12", depth=2)
    state = limit.after(state, [*demo.encode("}}\n"), tags[b"</tool_call>"], *demo.encode('\n"34')])
    assert state == JSONState(MOST_SIGNIFICANT, in_json=False)


NUMBER: Any = {"type": "number"}
INTEGER: Any = {"type": "integer"}
SCHEMAS: list[Any] = [
    NUMBER,
    INTEGER,
    {},
    {"$schema": "http://json-schema.org/draft-04/schema#", **INTEGER},
    NUMBER | {"exclusiveMinimum": 0},
    NUMBER | {"exclusiveMinimum": 1},
    NUMBER | {"exclusiveMinimum": 9.1},
    NUMBER | {"exclusiveMaximum": 1},
    NUMBER | {"exclusiveMinimum": 0.5, "exclusiveMaximum": 0.75},
    NUMBER | {"minimum": 0.1, "maximum": 0.3},
    NUMBER | {"multipleOf": 0.05},
    NUMBER | {"multipleOf": 0.3},
    INTEGER | {"multipleOf": 7},
    INTEGER | {"minimum": 10**15, "maximum": 2**63 - 1},
    {"const": 1e300},
    {"const": {"small": [1e-300]}},
    {"enum": [1e300, 1.5e300, 3, 0.12345678901234568]},
    {"anyOf": [{"const": 1e200}, INTEGER]},
]
LIKED = [b"0", b"9", b"0123456789", b"0123456789.eE-", b"e0123456789", b".0", b".9", b"-.0", b"1"]


def is_valid(schema: Any, text: str) -> bool:
    """With integers as doubles or exactly, as programs have them."""
    return any(jsonschema_rs.is_valid(schema, loads(text)) for loads in (orjson.loads, json.loads))


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@pytest.mark.parametrize("digits", ["one", "several"])
def test_whole_and_valid_whatever_digits_a_model_likes(demo: Tokenizer, digits: str, schema: Any) -> None:
    tokenizer: Any = demo if digits == "one" else OtherTokenizer()
    eos = tokenizer.added_tokens["<|im_end|>"]
    grammars = Grammars(tokenizer, frozenset([eos]))
    pair = {"type": "object", "properties": {"a": schema, "b": schema}, "required": ["a", "b"]}
    mask, vocabulary = np.zeros(-(-tokenizer.vocab_size // 32), np.uint32), range(tokenizer.vocab_size)
    for seed, liked in enumerate(LIKED * 2):
        numbers = random.Random(seed)
        of = schema if "$schema" in schema or seed % 2 else pair | {"additionalProperties": False}
        grammar = grammars.get(Constraint("json_schema", json.dumps(of)))
        budget = len(grammar.ending) + numbers.choice([3, 10, 30, 60, 100, 400, 700])
        guide, said = Guide(grammar, grammars, budget), list[int]()
        is_liked = [
            bool(octets) and not octets.strip(liked) for octets in map(tokenizer.token_bytes, vocabulary)
        ]
        while not guide.complete and len(said) < budget:
            guide.fill(mask)
            bits = np.unpackbits(mask.view(np.uint8), bitorder="little")[: tokenizer.vocab_size]
            allowed = np.flatnonzero(bits).tolist()
            frequent = [token for token in allowed if is_liked[token]]
            token = numbers.choice(frequent if frequent and numbers.random() < 0.95 else allowed)
            if token == eos:
                break
            said += guide.take(token)
        text = b"".join(map(tokenizer.token_bytes, said)).decode()
        assert is_valid(of, text), text
        assert len(said) <= budget
        Guide(grammar, grammars, budget).replay(said)
