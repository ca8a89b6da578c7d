"""What the terminal shows during an assessment: a live bar, or plain lines where there is no terminal."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

PLAIN_INTERVAL = 10.0
"""Seconds between two plain lines of the same stage."""


class ProgressDisplay(ABC):
    """Stages, one after the other: each moves from 0 to 1 and ends when the next begins."""

    @abstractmethod
    def begin(self, label: str, *, known_length: bool = True) -> None:
        """Starts a stage; without a known length the bar only shows that something happens."""

    @abstractmethod
    def update(self, share: float, detail: str) -> None:
        """Moves the stage to `share` of 1 and says what is being done."""

    @abstractmethod
    def say(self, line: str) -> None:
        """A line that stays."""

    @abstractmethod
    def close(self) -> None:
        """Ends the last stage and the display."""


class PlainProgress(ProgressDisplay):
    """One line at the begin and the end of a stage, and one now and then between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._label = ""
        self._began = self._spoke = 0.0
        self._known_length = True

    def begin(self, label: str, *, known_length: bool = True) -> None:
        self._finish()
        self._label, self._known_length = label, known_length
        self._began = self._spoke = time.monotonic()
        self.say(f"{label} ...")

    def update(self, share: float, detail: str) -> None:
        now = time.monotonic()
        if now - self._spoke >= PLAIN_INTERVAL:
            self._spoke = now
            done = f" {share:.0%}" if self._known_length else f" {now - self._began:.0f} s"
            self.say(f"{self._label}{done} {detail}".rstrip())

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._label:
            self.say(f"{self._label}: {time.monotonic() - self._began:.1f} s")
            self._label = ""


class LiveProgress(ProgressDisplay):
    """A bar for each stage, with the time it has taken and what is being done."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28, complete_style="cyan", finished_style="green"),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}"),
            console=console,
            refresh_per_second=4,  # drawing takes time from the process that also measures
        )
        self._task: TaskID | None = None
        self._progress.start()

    def begin(self, label: str, *, known_length: bool = True) -> None:
        self._finish()
        self._task = self._progress.add_task(label, total=1.0 if known_length else None, detail="")

    def update(self, share: float, detail: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=share, detail=detail.replace("[", r"\["))

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        self._finish()
        self._progress.stop()

    def _finish(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, total=1.0, completed=1.0, detail="")
            self._progress.stop_task(self._task)
            self._task = None


def make_progress(console: Console) -> ProgressDisplay:
    return LiveProgress(console) if console.is_terminal else PlainProgress(console)
