"""What a generator adds to the times it notes, from answers whose every token is the time of its sending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.generators.processor import rates_between
from bench.generators.timed import Outcome, TimedRequest

from wending.assess.stats import median, quantile

MOST_S = 0.005
"""The 99 % quantile of the overhead may be so large."""
FULL_SHARE = 0.95
"""All streams run, for this purpose, while so many of them do: one that begins its next request does not."""


@dataclass(frozen=True, slots=True)
class Level:
    """One number of streams, driven once; times in seconds. None where the generator gave too little."""

    streams: int
    window_s: float
    """While that many ran at once; all else is of this time."""
    events: int
    p50_s: float | None
    p99_s: float | None
    """Of all tokens; None for a generator that keeps the first and the last of an answer only."""
    edges_p99_s: float | None
    """Of the first and the last tokens of answers."""
    server_late_p99_s: float | None
    """How late the server sent its tokens, against its own schedule."""
    token_processor_s: float | None
    """Processor time of the generator for one token."""
    server_share: float | None
    """Of one core."""
    others_share: float | None
    """What neither the generator nor the server took of the machine's processor time, in cores."""

    @property
    def server_held(self) -> bool:
        return self.server_late_p99_s is not None and self.server_late_p99_s <= MOST_S

    @property
    def held(self) -> bool:
        known = [value for value in (self.p99_s, self.edges_p99_s) if value is not None]
        return bool(known) and max(known) <= MOST_S and self.server_held


def level_of(outcome: Outcome, streams: int, token_s: float, at_least_s: float) -> Level | None:
    """`token_s`: the server's time from token to token. None where that many streams did not run at once for
    `at_least_s`."""
    window = full_window(outcome.requests, FULL_SHARE * streams)
    if window is None or window[1] - window[0] < at_least_s:
        return None
    start, end = window
    every: list[float] = []
    edges: list[float] = []
    late: list[float] = []
    for request in outcome.requests:
        sent = [float(token) for token in request.text.split()]
        base = min(when - token_s * place for place, when in enumerate(sent))
        late += [when - token_s * place - base for place, when in enumerate(sent) if start <= when <= end]
        edges += _within(zip((sent[0], sent[-1]), (request.first, request.last), strict=True), start, end)
        if request.arrivals is not None:
            every += _within(zip(sent, request.arrivals, strict=True), start, end)
    rates = rates_between(outcome.processor, start, end)
    generator, server, others = rates if rates is not None else (None, None, None)
    return Level(
        streams=streams,
        window_s=end - start,
        events=len(late),
        p50_s=median(every or edges),
        p99_s=quantile(every, 0.99),
        edges_p99_s=quantile(edges, 0.99),
        server_late_p99_s=quantile(late, 0.99),
        token_processor_s=None if generator is None else generator * (end - start) / len(late),
        server_share=server,
        others_share=others,
    )


def _within(pairs: Iterator[tuple[float, float]], start: float, end: float) -> list[float]:
    return [arrived - sent for sent, arrived in pairs if start <= sent <= end]


def full_window(requests: Sequence[TimedRequest], streams: float) -> tuple[float, float] | None:
    """The longest time during which at least so many requests were under way."""
    changes = sorted(
        [(request.sent, 1) for request in requests] + [(request.last, -1) for request in requests]
    )
    running, spans = 0, []
    for (when, change), (then, _) in pairwise(changes):
        running += change
        if running < streams:
            continue
        if spans and spans[-1][1] == when:
            spans[-1] = (spans[-1][0], then)
        else:
            spans.append((when, then))
    return max(spans, key=lambda span: span[1] - span[0], default=None)
