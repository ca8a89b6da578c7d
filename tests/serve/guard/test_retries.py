from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from wending.serve.guard import retries
from wending.serve.guard.retries import MAX_FAILURES, Retries, longest_pause_s
from wending.serve.guard.upstream_failure import UpstreamFailure
from wending.serve.openai_errors import APIError


def failing(times: int, may_repeat: bool = True, retry_after_s: float | None = None) -> Callable[[], object]:
    left = iter(range(times))

    async def call() -> str:
        if next(left, None) is not None:
            raise UpstreamFailure(APIError(502, "planted"), may_repeat, retry_after_s)
        return "done"

    return call


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.25)
    monkeypatch.setattr(retries, "sleep", sleep)
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    return slept


async def run(call: Callable[[], object], within_s: float = 1e6) -> object:
    return await Retries(asyncio.get_running_loop().time() + within_s).run(call)  # type: ignore[arg-type]


async def test_pauses_double_up_to_a_limit(pauses: list[float]) -> None:
    assert await run(failing(MAX_FAILURES - 1)) == "done"
    assert pauses == [0.25, 0.5, 1.0, 2.0]
    assert longest_pause_s(100) == retries.LONGEST_PAUSE_S


async def test_pauses_are_jittered(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    await run(failing(3))
    assert pauses == [0.0, 0.0, 0.0]


async def test_failures_are_counted(pauses: list[float]) -> None:
    with pytest.raises(APIError, match="planted"):
        await run(failing(MAX_FAILURES))
    assert len(pauses) == MAX_FAILURES - 1


async def test_what_may_not_be_repeated_is_not(pauses: list[float]) -> None:
    with pytest.raises(APIError):
        await run(failing(1, may_repeat=False))
    assert pauses == []


async def test_retry_after_is_waited_for_in_full(pauses: list[float]) -> None:
    assert await run(failing(1, retry_after_s=7)) == "done"
    assert pauses == [7.25]


async def test_no_pause_reaches_beyond_the_deadline(pauses: list[float]) -> None:
    with pytest.raises(APIError):
        await run(failing(1, retry_after_s=7), within_s=5)
    assert pauses == []
