"""Constrained answers: the same bytes whatever happens, and whole at any budget."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from tests.invariance.answers import Answer, answers, answers_of_two_engines
from tests.invariance.engines import engine_like

from wending.engine.constraint import Constraint
from wending.engine.load import LoadedEngine, load_engine
from wending.engine.sampling_params import SamplingParams

Requests = list[tuple[list[int], SamplingParams]]

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 30},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "born": {"type": "string", "format": "date"},
        "role": {"enum": ["engineer", "manager", "员工"]},
    },
    "required": ["name", "born", "role"],
    "additionalProperties": False,
}
SCHEMAS: list[Any] = [
    PERSON,
    {"type": "array", "items": PERSON, "minItems": 1, "maxItems": 3},
    {"type": "object"},
    {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "number"}, "minItems": 2}]},
    {"$ref": "#/$defs/t", "$defs": {"t": {"properties": {"t": {"$ref": "#/$defs/t"}}, "type": "object"}}},
    {"type": "string", "pattern": "^[a-z]+-[0-9]{3}$"},
]

TOOLS: dict[str, Any] = {
    "callable": [{"name": "hire", "schema": PERSON, "field": "tools[0]"}],
    "required": False,
    "parallel": True,
    "content": None,
}


def are_calls(text: str) -> bool:
    calls = re.findall(r'<tool_call>\n{"name": "hire", "arguments": (.*?)}\n</tool_call>', text, re.S)
    return len(calls) == text.count("<tool_call>") > 0 and all(
        jsonschema_rs.is_valid(PERSON, json.loads(call)) for call in calls
    )


def is_list_of_a(text: str) -> bool:
    return re.fullmatch(r"\((a(,a)*)?\)", text) is not None


CONSTRAINTS: list[tuple[Constraint, Callable[[str], bool]]] = [
    *(
        (
            Constraint("json_schema", json.dumps(schema)),
            lambda text, schema=schema: jsonschema_rs.is_valid(schema, json.loads(text)),  # type: ignore[misc]
        )
        for schema in SCHEMAS
    ),
    (
        Constraint("regex", "[A-Z][a-z]{2,9} (ja|nein)"),
        lambda text: re.fullmatch("[A-Z][a-z]{2,9} (ja|nein)", text) is not None,
    ),
    (Constraint("choice", '["red","green","红"]'), lambda text: text in ("red", "green", "红")),
    (Constraint("lark", 'start: "(" [ "a" ("," "a")* ] ")"'), is_list_of_a),
    (Constraint("tools", json.dumps(TOOLS | {"required": True})), are_calls),
    (Constraint("tools", json.dumps(TOOLS)), lambda text: "<tool_call>" not in text or are_calls(text)),
]


@pytest.fixture(scope="module", params=["auto", "int8"])
def loaded(request: pytest.FixtureRequest) -> LoadedEngine:
    return load_engine(quant=request.param)


def needed(loaded: LoadedEngine, constraint: Constraint) -> int:
    return len(loaded.engine.grammars.get(constraint).ending)


@pytest.fixture(scope="module")
def requests(loaded: LoadedEngine) -> Requests:
    """Every constraint with the least budget, a little more, and plenty; greedy, sampled, with logprobs."""
    numbers = random.Random(5)
    encode = loaded.engine.tokenizer.encode
    made: Requests = []
    for constraint, _ in CONSTRAINTS:
        for further in (0, 3, 12, 60):
            prompt = encode(numbers.choice(["Write it down as JSON: ", "请回答", "Employees:"]))
            params = SamplingParams(
                temperature=numbers.choice([0.0, 0.8, 1.5]),
                seed=len(made),
                n=numbers.choice([1, 2]),
                max_tokens=max(1, needed(loaded, constraint) + further),
                logprobs=numbers.choice([None, 2]),
                constraint=constraint,
            )
            made.append((prompt, params))
    free = SamplingParams(temperature=0.8, seed=1, max_tokens=30)
    return [*made, (encode("Hello"), free), (encode("你好"), replace(free, temperature=0))]


@pytest.fixture(scope="module")
def alone(loaded: LoadedEngine, requests: Requests) -> list[list[Answer]]:
    return [answers(engine_like(loaded, speculate=False), [request])[0] for request in requests]


def test_every_answer_keeps_to_its_form_and_its_budget(requests: Requests, alone: list[list[Answer]]) -> None:
    for (_, params), several in zip(requests, alone, strict=True):
        for constraint, holds in CONSTRAINTS:
            if constraint == params.constraint:
                for answer in several:
                    assert holds(answer.text), (constraint, answer.text)
                    assert len(answer.token_ids) <= (params.max_tokens or 0)
                    assert params.logprobs is None or len(answer.logprobs) == len(answer.token_ids)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_tokens_per_step": 7, "max_running": 7},
        {"max_tokens_per_step": 32, "max_running": 32},
        {"speculate": False},
        {"num_blocks": 24},
    ],
    ids=str,
)
def test_together(
    loaded: LoadedEngine, requests: Requests, alone: list[list[Answer]], settings: dict[str, Any]
) -> None:
    engine = engine_like(loaded, **settings)
    assert answers(engine, requests, random.Random(3)) == alone


@pytest.mark.parametrize("steps", [1, 3, 7, 15, 31])
def test_after_a_crash(
    loaded: LoadedEngine, requests: Requests, alone: list[list[Answer]], steps: int
) -> None:
    first, second = engine_like(loaded), engine_like(loaded)
    assert answers_of_two_engines(first, second, requests, steps) == alone


def test_guesses_come_true_under_a_grammar(loaded: LoadedEngine) -> None:
    """Else the tests above would compare nothing."""
    engine = engine_like(loaded)
    schema = {"type": "array", "items": {"const": "again and again"}, "minItems": 8, "maxItems": 8}
    params = SamplingParams(temperature=0, constraint=Constraint("json_schema", json.dumps(schema)))
    [[answer]] = answers(engine, [(engine.tokenizer.encode("Write:"), params)])
    assert json.loads(answer.text) == ["again and again"] * 8
    assert engine.stats().drafts_accepted_total > 0
