"""The deltas of one request on their way from the engine to the task that awaits them."""

from __future__ import annotations

import asyncio
from collections import deque

from wending.engine.client import CompletionDelta

MAX_WAITING = 1024
"""Deltas that wait before further ones are merged into them: more than one that keeps up ever leaves."""


class DeltaStream:
    """A queue with one consumer, used in one event loop. Ends with the last completion or an error.

    However slow the consumer is, no more than MAX_WAITING deltas and one for each completion wait, and they
    take no more memory than their text, token ids and log-probabilities.
    """

    def __init__(self, num_completions: int) -> None:
        self._unfinished = num_completions  # completions whose last delta has not been put in yet
        self._deltas: deque[CompletionDelta] = deque()
        self._newest: dict[int, CompletionDelta] = {}  # of those that wait, of each completion
        self._error: Exception | None = None
        self._arrived = asyncio.Event()

    @property
    def complete(self) -> bool:
        """Whether the engine has nothing more to say about this request."""
        return self._unfinished == 0 or self._error is not None

    def put(self, delta: CompletionDelta) -> None:
        """Add a delta, which is the stream's from now on."""
        waiting = self._newest.get(delta.index) if len(self._deltas) >= MAX_WAITING else None
        if waiting is not None:
            _merge(waiting, delta)
        else:
            self._deltas.append(delta)
            self._newest[delta.index] = delta
        if delta.finish_reason is not None:
            self._unfinished -= 1
        self._arrived.set()

    def fail(self, error: Exception) -> None:
        """End the stream with an error, raised once the deltas before it are consumed."""
        self._error = error
        self._arrived.set()

    async def get(self) -> CompletionDelta | None:
        """The next delta, or None after the last. Raises the error given to `fail`."""
        while not self._deltas:
            if self._error is not None:
                raise self._error
            if self._unfinished == 0:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        delta = self._deltas.popleft()
        if self._newest[delta.index] is delta:
            del self._newest[delta.index]
        return delta


def _merge(waiting: CompletionDelta, delta: CompletionDelta) -> None:
    """Add to a delta the one that follows it."""
    waiting.text += delta.text
    waiting.token_ids += delta.token_ids
    if delta.logprobs is not None:
        waiting.logprobs = waiting.logprobs or []
        waiting.logprobs += delta.logprobs
    waiting.finish_reason, waiting.seed = delta.finish_reason, delta.seed
    waiting.error, waiting.error_code = delta.error, delta.error_code
