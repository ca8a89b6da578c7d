"""Has log lines written by a thread of their own, so that nobody waits for whoever reads them."""

from __future__ import annotations

import logging
import os
import select
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue

MOST_LINES = 8192
"""That wait to be written; some 3 MiB without prompts."""
FLUSH_S = 2.0
"""Given at the end to lines that wait."""


class LogQueue(QueueHandler):
    """A handler that returns at once. Beyond `most_lines` that wait, lines are dropped and counted, and the
    log tells how many when half of the place is free again."""

    def __init__(self, formatter: logging.Formatter, fd: int, most_lines: int = MOST_LINES) -> None:
        """Lines go to the file descriptor `fd`, from `start` on."""
        self._lines: Queue[logging.LogRecord] = Queue(most_lines)
        super().__init__(self._lines)
        self.setFormatter(formatter)  # whoever logs makes the line, which cannot change any more then
        self._writer = _Writer(self._lines, fd)
        self.dropped_total = 0
        self._untold = 0

    def start(self) -> None:
        self._writer.start()

    def stop(self, flush_s: float = FLUSH_S) -> None:
        """Write what waits; nobody may log any more. Where that takes longer than `flush_s`, the thread is
        left to end with the process."""
        with self._lines.all_tasks_done:
            is_written = self._lines.all_tasks_done.wait_for(
                lambda: self._lines.unfinished_tasks == 0, flush_s
            )
        if is_written:
            self._tell()
            self._writer.stop()

    def enqueue(self, record: logging.LogRecord) -> None:
        """See QueueHandler. Called under the handler's lock."""
        try:
            if self._lines.qsize() <= self._lines.maxsize // 2:
                self._tell()
            self._lines.put_nowait(record)
        except Full:
            self.dropped_total += 1
            self._untold += 1

    def _tell(self) -> None:
        """Log how many lines were dropped, if any were. Raises Full."""
        if self._untold:
            self._lines.put_nowait(self.prepare(_notice(self._untold)))
            self._untold = 0


def dropped_lines() -> int:
    """Lines that the log of this process has lost."""
    return sum(each.dropped_total for each in logging.root.handlers if isinstance(each, LogQueue))


def _notice(count: int) -> logging.LogRecord:
    message = "lines of the log that were dropped, because nobody read it in time: %d"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, (count,), None)


class _Writer(QueueListener):
    """Writes lines that are made. Without a handler and past Python's buffers: in a write that never ends it
    would hold their locks, which the end of the process waits for."""

    def __init__(self, lines: Queue[logging.LogRecord], fd: int) -> None:
        super().__init__(lines)
        self._fd = fd

    def handle(self, record: logging.LogRecord) -> None:
        """See QueueListener."""
        octets = f"{record.getMessage()}\n".encode(errors="backslashreplace")
        while octets:
            try:
                octets = octets[os.write(self._fd, octets) :]
            except BlockingIOError:  # somebody else has made it so
                select.select([], [self._fd], [])
            except OSError:  # nobody is there to read it
                return
