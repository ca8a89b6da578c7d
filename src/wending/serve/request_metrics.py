"""Counts and times what requests get from the engine, for /metrics."""

from __future__ import annotations

import time
from typing import Literal

from wending.engine.client import CompletionDelta
from wending.serve.prometheus_text import Histogram

BOUNDS_S = tuple(factor * 10.0**power for power in range(-3, 3) for factor in (1, 2, 5))
"""Of all histograms of times: 1 ms to 500 s."""

FinishedReason = Literal["stop", "length", "error", "abort"]


class RequestMetrics:
    """The counts of all requests since the service was started."""

    def __init__(self) -> None:
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self.finished: dict[FinishedReason, int] = {"stop": 0, "length": 0, "error": 0, "abort": 0}
        """Completions by how they ended; "abort": nobody waited for them any more."""
        self.first_token_s = Histogram(BOUNDS_S)
        """From the arrival of a request to the first token of a completion."""
        self.between_tokens_s = Histogram(BOUNDS_S)
        """From one token of a completion to the next one."""
        self.whole_s = Histogram(BOUNDS_S)
        """From the arrival of a request to the end of a completion."""


class RequestMeter:
    """Counts for one request, from its arrival on."""

    def __init__(self, metrics: RequestMetrics, prompt_tokens: int, n: int) -> None:
        self._metrics = metrics
        self._prompt_tokens = prompt_tokens
        self._unfinished = n
        self._arrival = time.monotonic()
        self._newest: dict[int, float] = {}  # when each completion made its newest token

    def note(self, delta: CompletionDelta) -> None:
        """Count what a completion gained."""
        now, metrics = time.monotonic(), self._metrics
        if delta.token_ids:
            if not self._newest:
                metrics.prompt_tokens += self._prompt_tokens
            metrics.generation_tokens += len(delta.token_ids)
            if delta.index in self._newest:
                metrics.between_tokens_s.observe(now - self._newest[delta.index])
            else:
                metrics.first_token_s.observe(now - self._arrival)
            self._newest[delta.index] = now
        if delta.finish_reason is not None:
            self._unfinished -= 1
            metrics.finished[delta.finish_reason] += 1
            metrics.whole_s.observe(now - self._arrival)

    def end(self, reason: FinishedReason) -> None:
        """Count the completions that have not ended by themselves."""
        self._metrics.finished[reason] += self._unfinished
        self._unfinished = 0
