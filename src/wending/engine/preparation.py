"""Compiles the grammars of requests that have just arrived beside the running engine.

A grammar takes between a millisecond and a second. Only the request that brought it waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from wending.engine.messages import Add

if TYPE_CHECKING:
    from wending.engine.grammar.grammar import Grammars


class Preparation:
    """Requests on their way to the engine, in order of arrival. Without constraint they pass at once."""

    def __init__(self, grammars: Callable[[], Grammars]) -> None:
        """`grammars` is asked for with the first constraint."""
        self._grammars = grammars
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="wending-grammars")
        self._waiting: dict[str, tuple[Add, Future[None] | None]] = {}

    @property
    def pending(self) -> bool:
        """Whether requests are here."""
        return bool(self._waiting)

    def add(self, command: Add) -> None:
        """Take a request."""
        constraint = command.params.constraint
        future = None
        if constraint is not None and not self._grammars().has(constraint):
            future = self._executor.submit(self._compile, command)
        self._waiting[command.key] = command, future

    def drop(self, key: str) -> None:
        """Forget a request, if it is here."""
        _, future = self._waiting.pop(key, (None, None))
        if future is not None:
            future.cancel()

    def wait(self, seconds: float) -> None:
        """Until a request is ready, but not longer than so many seconds."""
        futures = [future for _, future in self._waiting.values() if future is not None]
        if futures and len(futures) == len(self._waiting):
            wait(futures, seconds, return_when="FIRST_COMPLETED")

    def ready(self) -> list[Add]:
        """Those that may go to the engine now, which finds their grammars, or what is wrong, at once."""
        found = [command for command, future in self._waiting.values() if future is None or future.done()]
        for command in found:
            del self._waiting[command.key]
        return found

    def _compile(self, command: Add) -> None:
        if command.params.constraint is not None:
            self._grammars().prepare(command.params.constraint)
