from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from wending.engine.flight_record import SIZE, FlightRecord


@pytest.fixture
def record() -> Iterator[FlightRecord]:
    record = FlightRecord.create()
    yield record
    os.close(record.fd)


def test_says_what_is_being_computed(record: FlightRecord) -> None:
    assert (record.computing(), record.outside_signal()) == ([], None)
    record.begin_computing(["1/1", "20/3"])
    assert record.computing() == ["1/1", "20/3"]
    record.end_computing()
    assert record.computing() == []
    record.begin_computing(["3/1"])
    assert record.computing() == ["3/1"]


def test_keeps_a_signal_and_its_sender(record: FlightRecord) -> None:
    record.note_signal(signal.SIGSEGV, 1234)
    sent = record.outside_signal()
    assert sent == (signal.SIGSEGV, 1234)
    assert str(sent) == "SIGSEGV, which process 1234 sent"


def test_refuses_more_than_fits(record: FlightRecord) -> None:
    with pytest.raises(ValueError, match=f"the keys of 2 requests take .* bytes; there are {SIZE}"):
        record.begin_computing(["a" * SIZE, "b"])
    assert record.computing() == []


def test_outlives_the_process_that_wrote(record: FlightRecord) -> None:
    program = (
        "import os, sys\n"
        "from wending.engine.flight_record import FlightRecord\n"
        "record = FlightRecord(int(sys.argv[1]))\n"
        "record.begin_computing(['7/1'])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", program, str(record.fd)], pass_fds=[record.fd], check=False
    ).returncode
    assert died == -signal.SIGKILL
    assert record.computing() == ["7/1"]
