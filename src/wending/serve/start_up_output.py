"""What a person reads while the server starts, in English or Chinese: on a terminal with a progress bar."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

LINE_INTERVAL_S = 5.0  # between two lines of progress where there is no terminal


class LoadingInterrupted(Exception):  # noqa: N818
    """The server was told to stop before the model was loaded."""


class StartUpOutput:
    """Writes to standard output, in Chinese if `language` is "zh". Leaving the context takes the bar away."""

    def __init__(self, language: str = "en") -> None:
        self.language = language
        self._console = Console(highlight=False, markup=False, soft_wrap=True, emoji=False)
        self._bar: Progress | None = None
        self._next_line = 0.0
        self._interrupted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, english: str, chinese: str) -> None:
        """One line, in the language of this output, at once."""
        self.lines([chinese if self.language == "zh" else english])

    def lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._console.print(line)
        self._console.file.flush()

    def interrupt(self) -> None:
        """End the loading: the next report of its progress raises LoadingInterrupted."""
        self._interrupted = True

    def loading(self, done: int, total: int) -> None:
        """Bytes of the weights that have been read, of `total`. Called from the thread that loads."""
        if self._interrupted:
            raise LoadingInterrupted
        if self._console.is_terminal:
            self._draw_bar(done, total)
        elif done >= total or time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_INTERVAL_S
            percent = 100 * done // max(total, 1)
            self.say(f"Loading weights: {percent} %", f"正在加载权重：{percent}%")

    def _draw_bar(self, done: int, total: int) -> None:
        if self._bar is None:
            size = DownloadColumn(binary_units=True)
            columns = (TextColumn("{task.description}"), BarColumn(), size, TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._console)
            self._bar.add_task("正在加载权重" if self.language == "zh" else "Loading weights", total=total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done)
        if done >= total:
            self._bar.stop()
