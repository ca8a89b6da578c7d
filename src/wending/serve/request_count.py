"""Counts the requests in progress, in all and of each API key, and refuses one too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from wending.engine.errors import Overloaded
from wending.serve.openai_errors import APIError

PER_KEY_RETRY_AFTER_S = 2


class RequestCount:
    """Requests from the moment their head has come until their answer is complete."""

    def __init__(self, most: int, most_per_key: int | None = None) -> None:
        self.total = 0
        self._most = most
        self._most_per_key = most_per_key
        self._of_key: Counter[str] = Counter()

    def take(self, key: str | None) -> AbstractContextManager[None]:
        """Count a request until the context ends. Raises Overloaded, or APIError 429 for this key alone."""
        if self.total >= self._most:
            raise Overloaded(f"{self.total} requests are in progress, the most that are taken at once")
        if key is not None and self._most_per_key is not None and self._of_key[key] >= self._most_per_key:
            raise APIError(
                429,
                f"The key '{key}' has {self._of_key[key]} requests in progress, the most that it may have.",
                type="rate_limit_error",
                code="rate_limit_exceeded",
                headers={"Retry-After": str(PER_KEY_RETRY_AFTER_S)},
            )
        return self._counted(key or "")

    @contextmanager
    def _counted(self, key: str) -> Iterator[None]:
        self.total += 1
        self._of_key[key] += 1
        try:
            yield
        finally:
            self.total -= 1
            self._of_key[key] -= 1
            if not self._of_key[key]:
                del self._of_key[key]
