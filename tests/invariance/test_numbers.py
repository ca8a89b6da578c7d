"""Models that repeat digits: their numbers end, and are the same whatever happens."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import jsonschema_rs
import orjson
import pytest
from tests.invariance.answers import Answer, answers, answers_of_two_engines
from tests.invariance.engines import engine_like

from wending.engine.constraint import Constraint
from wending.engine.grammar.json_limit import MOST_DIGITS
from wending.engine.load import LoadedEngine, load_engine
from wending.engine.sampling_params import SamplingParams

Requests = list[tuple[list[int], SamplingParams]]

INVOICE: Any = {
    "type": "object",
    "properties": {"total": {"type": "number"}, "price": {"type": "number"}, "count": {"type": "integer"}},
    "required": ["total", "price", "count"],
    "additionalProperties": False,
}
PAY = {"callable": [{"name": "pay", "schema": INVOICE, "field": "tools[0]"}], "parallel": False}
JSON = Constraint("json_schema", json.dumps(INVOICE))
OBJECT = Constraint("json_schema", '{"type": "object"}')
CALL = Constraint("tools", json.dumps(PAY | {"required": True, "content": None}))
DIGITS = Constraint("regex", '\\{"total": [0-9]{60,}\\}')
WIDE = {"max_context": 700, "num_blocks": 700, "max_running": 64}


@pytest.fixture(scope="module")
def loaded() -> LoadedEngine:
    return load_engine()


@pytest.fixture(scope="module")
def requests(loaded: LoadedEngine) -> Requests:
    encode = loaded.engine.tokenizer.encode
    several = [(JSON, 40, 1), (CALL, 10, 1), (OBJECT, 4, 2), (DIGITS, 2, 1)]
    return [
        (
            encode("Invoice as JSON: "),
            SamplingParams(temperature=0.7, seed=seed, n=n, max_tokens=600, constraint=constraint),
        )
        for constraint, count, n in several
        for seed in range(count)
    ]


@pytest.fixture(scope="module")
def plain(loaded: LoadedEngine, requests: Requests) -> list[list[Answer]]:
    return answers(engine_like(loaded, speculate=False, **WIDE), requests)


def test_every_answer_is_valid(requests: Requests, plain: list[list[Answer]]) -> None:
    for (_, params), several in zip(requests, plain, strict=True):
        for answer in several:
            assert answer.finish_reason in ("stop", "length")
            text = answer.text
            if params.constraint == CALL:
                text = text.removeprefix('<tool_call>\n{"name": "pay", "arguments": ')
                text = text.removesuffix("}\n</tool_call>")
            if params.constraint in (JSON, CALL):
                assert jsonschema_rs.is_valid(INVOICE, orjson.loads(text)), text
            if params.constraint == OBJECT:
                assert isinstance(orjson.loads(text), dict)


def test_only_json_has_a_bound_and_reaches_it(requests: Requests, plain: list[list[Answer]]) -> None:
    for (_, params), [answer, *_] in zip(requests, plain, strict=True):
        digits = max(map(len, re.findall(r"\d+", answer.text)), default=0)
        assert digits > MOST_DIGITS or params.constraint != DIGITS
        assert digits <= MOST_DIGITS or params.constraint not in (JSON, CALL)
    for constraint in (JSON, CALL):
        texts = [
            one.text
            for (_, params), [one, *_] in zip(requests, plain, strict=True)
            if params.constraint == constraint
        ]
        assert sum(re.search(rf"\d{{{MOST_DIGITS}}}", text) is not None for text in texts) > 1


@pytest.mark.parametrize("settings", [{}, {"max_running": 13}], ids=str)
def test_guessed_and_in_a_crowd(
    loaded: LoadedEngine,
    requests: Requests,
    plain: list[list[Answer]],
    settings: dict[str, Any],
) -> None:
    engine = engine_like(loaded, **(WIDE | settings))
    assert answers(engine, requests, random.Random(3)) == plain
    assert engine.stats().drafts_accepted_total > 0


@pytest.mark.parametrize("steps", [3, 40, 90])
def test_after_a_crash(
    loaded: LoadedEngine,
    requests: Requests,
    plain: list[list[Answer]],
    steps: int,
) -> None:
    first, second = engine_like(loaded, **WIDE), engine_like(loaded, **WIDE)
    assert answers_of_two_engines(first, second, requests, steps) == plain
