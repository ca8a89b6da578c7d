"""What a load generator has written down, in one form for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.generators.processor import Sample


class JobError(Exception):
    """A load generator could not carry out a job; the message says why."""


@dataclass(frozen=True, slots=True)
class Job:
    """A closed loop: `streams` that ask for one prompt after the other, all with the same length of answer.

    The streams begin evenly over `ramp_s`; 0: at once.
    """

    base_url: str
    server_pid: int
    model: str
    prompts: Sequence[str]
    tokens: int
    streams: int
    ramp_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TimedRequest:
    """Times are seconds of the machine's monotonic clock; `first` and `last` those of events with text."""

    sent: float
    first: float
    last: float
    tokens: int
    """By the endpoint's own count."""
    text: str
    arrivals: Sequence[float] | None
    """Of every event with text; None where the generator keeps only the first and the last."""


@dataclass(frozen=True, slots=True)
class Outcome:
    requests: Sequence[TimedRequest]
    processor: Sequence[Sample]
    reported: dict[str, float]
    """Figures as the generator itself defines and prints them, in seconds; see latency_agreement.py."""
