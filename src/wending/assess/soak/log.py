"""The log of a soak: one JSON object a line, appended and flushed; readable whatever ends the writer.

Each line has `kind` and `at`, seconds of the Unix clock. The clock is read once for each session and goes
on with the monotonic one, so that a clock which is set does not bend the time axis.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from wending.assess.output import LineLog
from wending.assess.soak.line import is_line

NAME = "soak.jsonl"


class SoakLog:
    """A context manager. The file is made by the first line: a soak that could not begin leaves none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._lines: LineLog | None = None
        self._clock_offset = time.time() - time.monotonic()

    @property
    def is_begun(self) -> bool:
        """Whether this run of the soak has written a line."""
        return self._lines is not None

    def write(self, kind: str, values: dict[str, Any], now: float | None = None) -> None:
        """Appends a line. `now`: monotonic seconds, of this moment if not given. Raises OutputError."""
        at = round((time.monotonic() if now is None else now) + self._clock_offset, 3)
        if self._lines is None:
            self._lines = LineLog(self._path)
        self._lines.append(orjson.dumps({"kind": kind, "at": at, **values}))

    def __enter__(self) -> SoakLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lines is not None:
            self._lines.close()


def read_log(folder: Path, passed_over: Callable[[], None] = lambda: None) -> Iterator[dict[str, Any]]:
    """The lines one by one, in memory for one line. `passed_over` hears of each that cannot be used: it was
    cut off, or has not the fields of its kind.

    Raises OSError if there is no log.
    """
    with (folder / NAME).open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            try:
                values = orjson.loads(line)
            except ValueError:
                values = None
            if is_line(values):
                yield values
            else:
                passed_over()
