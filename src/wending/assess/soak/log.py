"""The log of a soak: one JSON object a line, appended and flushed; readable whatever ends the writer.

Each line has `kind` and `at`, seconds of the Unix clock. The clock is read once for each session and goes
on with the monotonic one, so that a clock which is set does not bend the time axis.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

NAME = "soak.jsonl"


class SoakLog:
    """A context manager."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / NAME).open("ab")
        # A line that was cut off by the end of the writer must not take the next one with it.
        if self._file.tell():
            self._file.write(b"\n")
        self._clock_offset = time.time() - time.monotonic()

    def write(self, kind: str, values: dict[str, Any], now: float | None = None) -> None:
        """Appends a line. `now`: monotonic seconds, of this moment if not given."""
        at = round((time.monotonic() if now is None else now) + self._clock_offset, 3)
        self._file.write(orjson.dumps({"kind": kind, "at": at, **values}) + b"\n")
        self._file.flush()

    def __enter__(self) -> SoakLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_log(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines one by one, in memory for one line; what is not a whole line is passed over.

    Raises OSError if there is no log.
    """
    with (folder / NAME).open("rb") as file:
        for line in file:
            try:
                values = orjson.loads(line)
            except ValueError:
                continue
            if isinstance(values, dict) and "kind" in values and "at" in values:
                yield values
