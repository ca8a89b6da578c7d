from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator

import pytest

from wending.serve.log_queue import LogQueue

LINE = "x" * 400


class Log:
    """A queue of 10 lines that writes to a pipe of 4 KiB, and a logger of its own."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        fcntl.fcntl(self.write, fcntl.F_SETPIPE_SZ, 4096)
        self.queue = LogQueue(logging.Formatter("%(levelname)s %(message)s"), self.write, most_lines=10)
        self.queue.start()

    def say(self, message: str) -> None:
        self.queue.handle(logging.LogRecord("test", logging.INFO, __file__, 0, message, None, None))

    def read_all(self) -> list[str]:
        """The lines until the end, which is when this closes the other side."""
        os.close(self.write)
        self.write = -1
        with os.fdopen(os.dup(self.read), encoding="utf-8") as lines:
            return lines.read().splitlines()


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    yield log
    for fd in (log.read, log.write):
        if fd >= 0:
            os.close(fd)


def test_lines_come_in_order_and_before_the_end(log: Log) -> None:
    for number in range(5):
        log.say(f"line {number} 稳 \ud800")
    log.queue.stop()
    assert log.read_all() == [f"INFO line {number} 稳 \\ud800" for number in range(5)]


def test_what_nobody_reads_is_dropped_counted_and_told(log: Log) -> None:
    said = 0
    while log.queue.dropped_total < 20:
        log.say(LINE)
        time.sleep(0.001)  # so that the pipe is full first, and then the queue
        said += 1
    log.queue.stop(flush_s=0.05)
    for _ in range(said - 20):
        assert os.read(log.read, len(f"INFO {LINE}\n"))
    log.say("read again")
    log.queue.stop()
    assert log.read_all() == [
        "WARNING lines of the log that were dropped, because nobody read it in time: 20",
        "INFO read again",
    ]
    assert log.queue.dropped_total == 20


def test_what_was_dropped_last_is_told_at_the_end(log: Log) -> None:
    said = 0
    while log.queue.dropped_total == 0:
        log.say(LINE)
        said += 1
    stopping = threading.Thread(target=log.queue.stop)
    stopping.start()
    for _ in range(said - 1):
        assert os.read(log.read, len(f"INFO {LINE}\n"))
    stopping.join()
    assert log.read_all() == ["WARNING lines of the log that were dropped, because nobody read it in time: 1"]


def test_a_reader_that_is_slow_gets_few_notices(log: Log) -> None:
    """One where half of the lines have been written, not one for each that there is room for."""
    read: list[str] = []

    def reading() -> None:
        with os.fdopen(os.dup(log.read), encoding="utf-8") as lines:
            read.extend(lines.read().splitlines())

    reader = threading.Thread(target=reading)
    reader.start()
    for _ in range(20_000):
        log.say(LINE)
    log.queue.stop()
    os.close(log.write)
    log.write = -1
    reader.join()
    notices = [line for line in read if "dropped" in line]
    assert sum(int(line.split()[-1]) for line in notices) == log.queue.dropped_total
    assert len(read) - len(notices) == 20_000 - log.queue.dropped_total
    assert len(notices) <= len(read) / 4


def test_a_reader_that_is_gone_is_not_waited_for(log: Log) -> None:
    os.close(log.read)
    for _ in range(100):
        log.say(LINE)
    log.queue.stop()
    log.read = -1
