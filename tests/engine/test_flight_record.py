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


def test_says_what_is_going_on(record: FlightRecord) -> None:
    assert (record.round(), record.computing(), record.outside_signal()) == (None, [], None)
    record.begin_round()
    assert (record.round(), record.computing()) == (1, [])
    record.begin_computing(["1/1", "20/3"])
    assert record.computing() == ["1/1", "20/3"]
    record.end_computing()
    record.begin_round()
    assert (record.round(), record.computing()) == (2, [])
    record.rest()
    assert record.round() is None


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
        "record.begin_round()\n"
        "record.begin_computing(['7/1'])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", program, str(record.fd)], pass_fds=[record.fd], check=False
    ).returncode
    assert died == -signal.SIGKILL
    assert (record.round(), record.computing()) == (1, ["7/1"])
