"""What is concluded from the answers of a server: the arithmetic, and asking one over HTTP."""

from __future__ import annotations

import asyncio
import math
from collections import Counter

import pytest
from bench.peers.evidence import (
    DRAWS,
    MARKUP,
    Evidence,
    GreedyAnswer,
    arithmetic,
    conversations,
    distance,
    distance_by_chance,
    evidence_table,
    gather,
    nucleus,
)
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server

LOGARITHMS = {"a": math.log(0.5), "b": math.log(0.3), "c": math.log(0.15), "d": math.log(0.05)}


def test_nucleus_takes_the_temperature_first() -> None:
    assert nucleus(LOGARITHMS, 1.0, 1.0) == pytest.approx({"a": 0.5, "b": 0.3, "c": 0.15, "d": 0.05})
    assert nucleus(LOGARITHMS, 1.0, 0.9) == pytest.approx(
        {"a": 0.5 / 0.95, "b": 0.3 / 0.95, "c": 0.15 / 0.95}
    )
    # Squared: 0.25, 0.09, 0.0225, 0.0025 of 0.365, so that the first two hold 0.93.
    assert nucleus(LOGARITHMS, 0.5, 0.9) == pytest.approx({"a": 0.25 / 0.34, "b": 0.09 / 0.34})


def test_distance_of_draws() -> None:
    expected = {"a": 0.75, "b": 0.25}
    assert distance({"a": 75, "b": 25}, expected) == 0.0
    assert distance({"a": 50, "b": 50}, expected) == 0.25
    assert distance({"x": 10}, expected) == 1.0
    # Of 400 right draws the share of "a" has a standard deviation of 0.0217; 1.96 of it hold 95 %.
    assert distance_by_chance(expected, 400) == pytest.approx(1.96 * 0.0217, abs=0.004)


def answer(*tokens: str, prompt_tokens: int = 3, lead: float = 2.0, shift: float = 0.0) -> GreedyAnswer:
    """Each token leads by so much to the next best; `shift` is added to its log-probability."""
    top = [{token: -0.1 + shift, "next": -0.1 - lead} for token in tokens]
    return GreedyAnswer(prompt_tokens, list(tokens), top)


def test_arithmetic_is_compared_until_answers_part() -> None:
    found = arithmetic(
        [answer("a", "b", "c", lead=0.5), answer("a", "b")],
        [answer("a", "x", "c", shift=0.25), answer("a", "b", shift=-0.125)],
    )
    assert (found.equal, found.compared) == (1, 2)
    assert found.gaps == pytest.approx([0.5])
    assert found.differences == pytest.approx([0.25, 0.125, 0.125])


def test_table_of_evidence() -> None:
    draws = Counter({"a": 3 * DRAWS // 4, "b": DRAWS // 8, "d": DRAWS // 8})
    reference = Evidence("F32", [answer("a"), answer("b")], [5, 6, 7], LOGARITHMS, draws)
    other = Evidence("other", [answer("a", prompt_tokens=4), answer("c")], [5, 5, 7], LOGARITHMS, draws)
    table = evidence_table([reference, other])
    assert "| Prompts as long as those of F32 | 1 of 2 |" in table
    assert "| 5 (5), 5 (6), 7 (7) |" in table
    assert "| Equal greedy answers | 1 of 2 |" in table
    assert f"| {DRAWS // 8} of {DRAWS} |" in table  # "d" is no token to be drawn


def test_a_server_is_asked_as_many_conversations_and_draws() -> None:
    client = FakeClient("Yes", max_context=100_000)
    with live_server(client) as server:
        found = asyncio.run(gather("fake", server.url))
    assert len(found.answers) == len(conversations())
    assert len(found.markup) == len(MARKUP)
    assert found.draws.total() == DRAWS
    assert all(answer.tokens and answer.prompt_tokens for answer in found.answers)


def test_answers_with_other_than_ascii_are_left_out() -> None:
    found = arithmetic([answer("a", "\ufffd"), answer("b")], [answer("a", "é"), answer("b")])
    assert (found.equal, found.compared, found.gaps) == (1, 1, [])
