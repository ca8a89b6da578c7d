"""Five hundred schemas and small budgets on the bundled model: all answers are valid, or refused at once."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema_rs
from tests.invariance.answers import answers
from tests.random_schema import random_schema

from wending.engine.constraint import Constraint
from wending.engine.engine import Engine
from wending.engine.errors import InvalidRequest
from wending.engine.load import load_engine
from wending.engine.sampling_params import SamplingParams

COUNT = 500


def refusal(engine: Engine, prompt: list[int], params: SamplingParams) -> InvalidRequest | None:
    try:
        engine.add_request("refused?", prompt, params)
    except InvalidRequest as error:
        return error
    engine.abort_request("refused?")
    return None


def test_valid_or_refused() -> None:
    engine = load_engine().engine
    numbers = random.Random(7)
    prompt = engine.tokenizer.encode("Write it down as JSON: ")
    asked: list[tuple[list[int], SamplingParams]] = []
    schemas: list[Any] = []
    refused = 0
    for number in range(COUNT):
        schema = random_schema(numbers)
        params = SamplingParams(
            temperature=numbers.choice([0.0, 0.7, 1.5]),
            seed=number,
            max_tokens=numbers.choice([1, 2, 4, 8, 16, 24, 40, 64]),
            constraint=Constraint("json_schema", json.dumps(schema)),
        )
        error = refusal(engine, prompt, params)
        if error is None:
            asked.append((prompt, params))
            schemas.append(schema)
        else:
            refused += 1
            assert error.code in ("max_tokens_too_small", "unsupported_constraint"), error
    given = answers(engine, asked)
    for schema, [answer] in zip(schemas, given, strict=True):
        assert answer.finish_reason in ("stop", "length")
        assert jsonschema_rs.is_valid(schema, json.loads(answer.text)), (schema, answer.text)
    assert COUNT * 0.2 < refused < COUNT * 0.6
