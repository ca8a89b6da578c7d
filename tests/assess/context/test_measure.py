"""Endpoints that forget, refuse, cut or dawdle from a planted length on: it is found there."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from tests.assess.decided import Decided, Request, say

from wending.assess.context import ContextEffort, ContextResult, measure
from wending.assess.context.measure import ANSWER_TOKENS, lengths_up_to
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import BadStatus, CutOff
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.reply import Reply, refusal
from wending.assess.scripted.script import Failures

EFFORT = ContextEffort(repeats=2, request_s=30.0, total_s=300.0)
OVERHEAD = 40
"""Tokens of the planted chat template."""


def tokens_of(text: str) -> list[str]:
    """The planted tokenizer: words and punctuation of English, single Chinese characters."""
    return re.findall(r"[A-Za-z]+|\d|[^\sA-Za-z]", text)


def says(text: str, prompt: str, **settings: Any) -> Reply:
    return say(text, prompt_tokens=OVERHEAD + len(tokens_of(prompt)), **settings)


def code_in(text: str) -> str:
    """What a model answers that sees this text and no more."""
    found = re.search(r"(?:is |是 )(\d{5})", text)
    return found[1] if found else "00000"


def remembers_all(request: Request) -> Reply:
    prompt = request["messages"][-1]["content"]
    return says(code_in(prompt), prompt)


async def measured(endpoint: ScriptedServer, effort: ContextEffort = EFFORT) -> ContextResult:
    async with endpoint, EndpointClient(endpoint.base_url) as client:
        await client.resolve_model()
        result = await measure(client, effort, seed=1, progress=lambda share, detail: None)
    json.dumps(result.to_json())
    return result


async def test_a_sound_endpoint_is_measured_up_to_its_limit() -> None:
    result = await measured(Decided(remembers_all, Script(max_model_len=4096)))
    assert (result.limit, result.limit_source, result.stopped_by) == (4096, "models", "limit")
    assert all(probe.recalled for probe in result.probes)
    assert result.first_miss is None
    longest = max(probe.tokens for probe in result.probes)
    assert 0.9 * 4096 < longest <= 4096 - ANSWER_TOKENS
    # Whatever the text, lengths are near what was meant once the tokenizer has been seen at work.
    for probe, length in zip(result.probes, [n for n in lengths_up_to(4096) for _ in range(6)], strict=True):
        if length > 256:
            assert 0.9 * length < probe.tokens < 1.1 * length
    assert {(probe.depth, probe.language) for probe in result.probes} == {
        (depth, language) for depth in (0.0, 0.5, 0.75) for language in ("en", "zh")
    }


async def test_a_fact_forgotten_beyond_a_distance_is_missed_from_there_on() -> None:
    def forgets(request: Request) -> Reply:
        prompt = request["messages"][-1]["content"]
        fact = re.search(r"(?:is |是 )\d{5}", prompt)
        far = fact is not None and len(tokens_of(prompt[fact.end() :])) > 1400
        return says("00000" if far else code_in(prompt), prompt)

    result = await measured(Decided(forgets, Script(max_model_len=8192)))
    assert result.stopped_by == "limit"
    assert result.first_miss is not None
    assert 1400 < result.first_miss < 2200  # the next distance that is asked for
    for probe in result.probes:
        assert probe.recalled == (probe.distance < 1400), probe
    points = {point["tokens"]: point["rate"] for point in result.to_json()["points"]}
    assert all(rate["k"] == (rate["n"] if tokens < 1400 else 0) for tokens, rate in points.items())
    assert all(rate["low"] <= rate["k"] / rate["n"] <= rate["high"] for rate in points.values())
    assert f"{result.first_miss:,} tokens back" in result.summary()


async def test_a_refusal_is_reported_and_names_the_limit() -> None:
    def refuses(request: Request) -> Reply:
        prompt = request["messages"][-1]["content"]
        count = OVERHEAD + len(tokens_of(prompt))
        message = f"This model's maximum context length is 3000 tokens, you sent {count}."
        return refusal(400, message) if count > 3000 else says(code_in(prompt), prompt)

    result = await measured(Decided(refuses))
    assert (result.limit, result.limit_source, result.stopped_by) == (3000, "refusal", "limit")
    assert all(probe.recalled for probe in result.probes)
    lies = await measured(Decided(refuses, Script(max_model_len=8192)))
    assert (lies.limit, lies.stopped_by) == (8192, "refused")
    assert lies.stopped_at is not None
    assert 3000 < lies.stopped_at < 4500
    assert "maximum context length is 3000" in str(lies.message)
    assert all(probe.recalled for probe in lies.probes)
    assert "refused prompts from about" in lies.summary()


async def test_a_prompt_cut_in_silence_is_noticed() -> None:
    def cuts(request: Request) -> Reply:
        prompt = request["messages"][-1]["content"]
        kept = prompt[-4000:] if prompt.isascii() else prompt[-1500:]
        return says(code_in(kept), kept)

    result = await measured(Decided(cuts))
    assert (result.limit, result.limit_source, result.stopped_by) == (None, "default", "shortened")
    assert result.stopped_at is not None
    assert 1000 < result.stopped_at < 4200


async def test_a_request_that_takes_too_long_is_broken_off() -> None:
    def dawdles(request: Request) -> Reply:
        prompt = request["messages"][-1]["content"]
        return says(code_in(prompt), prompt, first_s=30.0 if len(tokens_of(prompt)) > 900 else 0.0)

    endpoint = Decided(dawdles, Script(max_model_len=8192))
    result = await measured(endpoint, ContextEffort(repeats=1, request_s=1.0, total_s=60.0))
    assert result.stopped_by == "time"
    assert result.stopped_at is not None
    assert 900 < result.stopped_at < 1300
    assert all(probe.recalled for probe in result.probes)


async def test_without_usage_the_lengths_are_estimates() -> None:
    def silent(request: Request) -> Reply:
        return replace(say(code_in(request["messages"][-1]["content"])), usage=None)

    result = await measured(Decided(silent, Script(max_model_len=1024)))
    assert result.to_json()["tokens_counted_by"] == "estimate"
    assert all(probe.recalled for probe in result.probes)


async def test_an_endpoint_that_answers_nothing_raises() -> None:
    with pytest.raises(BadStatus):
        await measured(ScriptedServer(Script(failures=Failures(http_error=1))))
    with pytest.raises(CutOff):
        await measured(ScriptedServer(Script(failures=Failures(cut_off=1))))


async def test_a_failure_later_on_is_the_end_and_a_finding() -> None:
    def fails(request: Request) -> Reply:
        prompt = request["messages"][-1]["content"]
        if len(tokens_of(prompt)) > 700:
            return refusal(500, "out of memory")
        return says(code_in(prompt), prompt)

    result = await measured(Decided(fails, Script(max_model_len=2048)))
    assert (result.stopped_by, result.message) == ("error", "out of memory")
    assert len(result.probes) == 12


@pytest.mark.parametrize(
    ("limit", "lengths"),
    [
        (200, [166]),
        (1024, [256, 512, 948]),
        (8192, [256, 512, 1024, 2048, 4096, 7758]),
        (8800, [256, 512, 1024, 2048, 4096, 8336]),
        (11000, [256, 512, 1024, 2048, 4096, 8192, 10426]),
    ],
)
def test_lengths_double_up_to_the_limit(limit: int, lengths: list[int]) -> None:
    assert lengths_up_to(limit) == lengths
