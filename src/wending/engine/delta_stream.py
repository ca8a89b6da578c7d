"""The deltas of one request on their way from the engine to the task that awaits them."""

from __future__ import annotations

import asyncio
from collections import deque

from wending.engine.client import CompletionDelta


class DeltaStream:
    """A queue with one consumer, used in one event loop. Ends with the last completion or an error."""

    def __init__(self, num_completions: int) -> None:
        self._unfinished = num_completions  # completions whose last delta has not been put in yet
        self._deltas: deque[CompletionDelta] = deque()
        self._error: Exception | None = None
        self._arrived = asyncio.Event()

    @property
    def complete(self) -> bool:
        """Whether the engine has nothing more to say about this request."""
        return self._unfinished == 0 or self._error is not None

    def put(self, delta: CompletionDelta) -> None:
        """Add a delta."""
        self._deltas.append(delta)
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
        return self._deltas.popleft()
