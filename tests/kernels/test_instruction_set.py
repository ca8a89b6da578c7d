from __future__ import annotations

import os
import subprocess
import sys

import pytest

from wending import _kernels


def report(**environment: str) -> subprocess.CompletedProcess[str]:
    script = "from wending import _kernels; print(_kernels.instruction_set())"
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_environment_forces_one(instruction_set: str) -> None:
    assert report(WENDING_INSTRUCTION_SET=instruction_set).stdout.strip() == instruction_set


def test_the_best_is_the_default() -> None:
    assert report(WENDING_INSTRUCTION_SET="").stdout.strip() == _kernels.available_instruction_sets()[0]


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    outcome = report(WENDING_INSTRUCTION_SET="mmx")
    assert outcome.returncode != 0
    assert "WENDING_INSTRUCTION_SET names mmx, which is none of" in outcome.stderr
    with pytest.raises(ValueError, match="portable"):
        _kernels.use_instruction_set("mmx")
