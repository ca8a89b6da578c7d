"""What becomes of one request, decided from the script, the request and the number of its kind."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import repeat
from random import Random
from typing import Any, Literal, Protocol

import orjson

from wending.assess.scripted import defects
from wending.assess.scripted.script import FATES, Fate, Script
from wending.assess.scripted.times import draw

_TOKEN = re.compile(
    r"\s*(?:[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)|\s+$"
)
_COUNTERS = 1 << 16
PROMPT_TOKENS = 7
"""What every prompt is said to have."""


@dataclass(slots=True)
class Reply:
    """`gaps` never ends: seconds to the first token, then from each token to the next.

    `tokens` are None where every token is the time at which it is sent; `length` is how many there are.
    """

    fate: Fate
    tokens: Sequence[str] | None
    length: int
    finish_reason: Literal["stop", "length"]
    gaps: Iterator[float]
    usage: tuple[int, int] | None = None
    """Tokens of the prompt and of the answer; None where the endpoint does not count them."""
    status: int = 500
    message: str = "a planted error"
    """Of an HTTP error."""


def refusal(status: int, message: str) -> Reply:
    return Reply("http_error", (), 0, "stop", repeat(0.0), status=status, message=message)


_REFUSALS: Mapping[Fate, tuple[int, str]] = {
    "too_many_requests": (429, "a planted refusal of too many requests"),
    "bad_request": (400, "a planted refusal of a bad request"),
}


class Replies(Protocol):
    """Whoever decides what becomes of requests."""

    def reply(self, request: Mapping[str, Any], streams: int, age_s: float) -> Reply:
        """`streams`: how many run, this one included; `age_s`: how long the endpoint has been running."""
        ...


class ReplyMaker:
    """The same requests, in whatever order they arrive, get the same replies each time the endpoint runs."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._patterns = [(re.compile(answer.pattern), answer.texts) for answer in script.answers]
        # How often a request has come: a table of fixed size, because an endpoint must not grow with what it
        # is asked. Two requests that share a counter only skip numbers.
        self._counts = array("Q", bytes(8 * _COUNTERS))

    def reply(self, request: Mapping[str, Any], streams: int, age_s: float) -> Reply:
        script = self._script
        for name in script.refused_fields:
            if name in request:
                return refusal(400, f"unknown field {name!r}")
        random = self._random(request)
        fate = self._fate(random)
        if fate in _REFUSALS:
            return refusal(*_REFUSALS[fate])
        tokens: Sequence[str] | None = None
        length = script.tokens
        if not script.clock:
            tokens = tokens_of(self._text(request, random, streams))
            length = len(tokens)
        limit = request.get("max_tokens") or request.get("max_completion_tokens") or length
        if random.random() < script.failures.truncated:
            limit = min(limit, defects.half(length))
        drift = script.drift_s_per_hour * age_s / 3600
        sent = min(length, limit)
        return Reply(
            fate,
            tokens,
            sent,
            "stop" if length <= limit else "length",
            _gaps(script, random, drift),
            (PROMPT_TOKENS, sent) if script.usage else None,
        )

    def _random(self, request: Mapping[str, Any]) -> Random:
        named = {name: request.get(name) for name in ("messages", "seed", "temperature")}
        digest = blake2b(orjson.dumps(named), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        counter = number % _COUNTERS
        self._counts[counter] += 1
        return Random(f"{self._script.seed}/{number}/{self._counts[counter]}")

    def _fate(self, random: Random) -> Fate:
        failures, drawn = self._script.failures, random.random()
        for fate in FATES:
            drawn -= getattr(failures, fate)
            if drawn < 0:
                return fate
        return "answer"

    def _text(self, request: Mapping[str, Any], random: Random, streams: int) -> str:
        script, failures = self._script, self._script.failures
        text = self._right_text(request, random)
        # Drawn in any case, so that one rate does not change what another one hits.
        json, date, role, load, form, empty = (random.random() for _ in range(6))
        if role < failures.wrong_role and request["messages"][0].get("role") == "system":
            text = defects.OUT_OF_ROLE
        if date < failures.wrong_date and defects.has_date(text):
            text = defects.spoil_date(text)
        if form < failures.date_format and defects.has_date(text):
            text = defects.reformat_date(text)
        if json < failures.broken_json and defects.has_json(text):
            text = defects.break_json(text)
        if empty < failures.empty:
            text = ""
        under_load = script.under_load
        if under_load is not None and streams > under_load.streams and load < under_load.share:
            text = defects.another(text)
        return text

    def _right_text(self, request: Mapping[str, Any], random: Random) -> str:
        said = request["messages"][-1].get("content")
        for pattern, texts in self._patterns:
            found = pattern.search(said) if isinstance(said, str) else None
            if found is not None:
                return found.expand(random.choice(texts))
        return " ".join(f"word{number % 10}" for number in range(self._script.tokens))


def tokens_of(text: str) -> list[str]:
    """Words with the space before them; Chinese, Japanese and Korean characters one by one."""
    return _TOKEN.findall(text)


def _gaps(script: Script, random: Random, drift: float) -> Iterator[float]:
    yield max(draw(script.ttft_s, random) + drift, 0.0)
    while True:
        yield draw(script.token_s, random)
