from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from wending.serve.guard.answer_schema import InvalidSchema
from wending.serve.guard.judge import MAX_PROCESSES, Judge

# Each level of the answer doubles the work: 2^30 comparisons.
DOUBLING = {"anyOf": [{"type": "array", "items": {"$ref": "#"}, "minItems": 1}] * 2}


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    judge = Judge()
    yield judge
    await judge.close()


async def test_answers_and_schemas(judge: Judge) -> None:
    await judge.check_schema({"type": "object"})
    verdict = await judge.check_answer('{"a": "\ud83d\ude00好",}', {"type": "object"})
    assert (verdict.text, verdict.repairs) == ('{"a": "😀好"}', ("syntax",))
    with pytest.raises(InvalidSchema) as refused:
        await judge.check_schema({"type": 3})
    assert refused.value.pointer == "/type"


async def test_what_takes_for_ever_costs_only_its_sender(judge: Judge) -> None:
    hostile, honest = await asyncio.gather(
        judge.check_answer("[" * 30 + "]" * 30, DOUBLING), judge.check_answer("{}", {"type": "object"})
    )
    assert hostile.text is None
    assert "could not be checked" in hostile.problems[0]
    assert honest.text == "{}"
    assert (await judge.check_answer("{}", {"type": "object"})).text == "{}"


async def test_a_cancelled_check_answers_nobody_else(judge: Judge) -> None:
    checks = [
        asyncio.create_task(judge.check_answer("[" * 30 + "]" * 30, DOUBLING)) for _ in range(MAX_PROCESSES)
    ]
    await asyncio.sleep(0.2)
    for check in checks:
        check.cancel()
    await asyncio.gather(*checks, return_exceptions=True)
    verdicts = await asyncio.gather(
        *(judge.check_answer(f'{{"a": {i}}}', True) for i in range(3 * MAX_PROCESSES))
    )
    assert [verdict.text for verdict in verdicts] == [f'{{"a": {i}}}' for i in range(3 * MAX_PROCESSES)]
