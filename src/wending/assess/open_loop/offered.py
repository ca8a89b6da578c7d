"""The requests of an open loop: when each is due, what it asks, and which answers are valid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wending.assess.context.filler import sentences
from wending.assess.load.arrivals import TracedRequest, poisson_arrivals
from wending.assess.performance_requests import REQUEST_TYPES, RequestType
from wending.assess.seeds import derive_seed

TOKENS_OF_WORD = 1.2
"""Of the English filler, about; what a prompt really had is in the endpoint's usage."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One request. `arrival_s`: seconds after the start. `tokens`: of its prompt, as a trace wants it; None
    where no trace says it."""

    arrival_s: float
    kind: str
    prompt: str
    max_tokens: int
    tokens: int | None
    is_valid: Callable[[str], bool]

    def body(self, model: str, seed: int) -> dict[str, Any]:
        """The JSON of its chat completion."""
        return {
            "model": model,
            "messages": [{"role": "user", "content": self.prompt}],
            "max_tokens": self.max_tokens,
            "temperature": 0.7,
            "top_p": 0.9,
            "seed": seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }


def drawn(rate: float, seconds: float, seed: int, kinds: Sequence[str] = ()) -> list[Offered]:
    """Short, long and JSON requests in turn, or the kinds named, as a Poisson process of `rate`
    per second."""
    types = [one for one in REQUEST_TYPES if not kinds or one.name in kinds]
    arrivals = poisson_arrivals(rate, seconds, seed)
    return [_of_type(types[n % len(types)], n, arrival) for n, arrival in enumerate(arrivals)]


def traced(trace: Sequence[TracedRequest], seed: int) -> list[Offered]:
    """As a trace has them: prompts of about so many tokens, none of them like another, and answers of at most
    so many. A model may end earlier: no request can make it go on at every endpoint."""
    return [
        Offered(
            request.arrival_s,
            "trace",
            _filler(request.input_tokens, derive_seed(seed, "trace", number)),
            request.output_tokens,
            request.input_tokens,
            lambda text: bool(text.strip()),
        )
        for number, request in enumerate(trace)
    ]


def _of_type(request_type: RequestType, number: int, arrival_s: float) -> Offered:
    return Offered(
        arrival_s,
        request_type.name,
        request_type.prompt(number),
        request_type.max_tokens,
        None,
        lambda text: request_type.is_valid(number, text),
    )


def _filler(tokens: int, seed: int) -> str:
    wanted, words = max(1, round(tokens / TOKENS_OF_WORD)), list[str]()
    for sentence in sentences("en", seed):
        words += sentence.split()
        if len(words) >= wanted:
            return " ".join(words[:wanted])
    return " ".join(words)
