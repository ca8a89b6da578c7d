"""A progress bar for many completions, on standard error."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from wending.engine.client import CompletionDelta


class GenerationProgress:
    """Counts completions that have ended and tokens per second. Leaving the context ends the bar."""

    def __init__(self, completions: int, shown: bool | None = None, console: Console | None = None) -> None:
        """`shown`: whether there is a bar; None: where standard error is a terminal."""
        console = console or Console(stderr=True)
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]:,.0f} tok/s"),
            TimeRemainingColumn(),
        )
        enabled = console.is_terminal if shown is None else shown
        self._bar = Progress(*columns, console=console, disable=not enabled)
        self._task = self._bar.add_task("", total=completions, speed=0.0)
        self._started = time.monotonic()
        self._tokens = self._done = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def add(self, delta: CompletionDelta) -> None:
        """Count what a step added to a completion."""
        self._tokens += len(delta.token_ids)
        self._done += delta.finish_reason is not None
        speed = self._tokens / max(time.monotonic() - self._started, 1e-9)
        self._bar.update(self._task, completed=self._done, speed=speed)
