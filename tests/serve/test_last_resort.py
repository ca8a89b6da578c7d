from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import threading, time
from wending.serve.last_resort import LastResort
threading.Thread(target=time.sleep, args=[{busy_s}]).start()  # holds up the end of the interpreter
last_resort = LastResort()
last_resort.arm({after_s})
{then}
"""


def run(busy_s: float, after_s: float, then: str = "") -> int:
    program = PROGRAM.format(busy_s=busy_s, after_s=after_s, then=then)
    return subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode


def test_ends_a_process_that_does_not_end() -> None:
    assert run(busy_s=1000, after_s=0.05) == 0


def test_second_call_counts() -> None:
    assert run(busy_s=1000, after_s=1000, then="last_resort.arm(0.05)") == 0


def test_disarmed_it_does_nothing() -> None:
    assert (
        run(busy_s=0.3, after_s=0.1, then="last_resort.disarm(); time.sleep(0.5); raise SystemExit(7)") == 7
    )
