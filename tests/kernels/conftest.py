"""Every kernel test runs on every instruction set this processor has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wending import _kernels


@pytest.fixture(params=_kernels.available_instruction_sets(), autouse=True)
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    before = _kernels.instruction_set()
    _kernels.use_instruction_set(request.param)
    yield request.param
    _kernels.use_instruction_set(before)


@pytest.fixture
def threads() -> Iterator[None]:
    """Puts the number of threads back after a test that changes it."""
    before = _kernels.threads()
    yield
    _kernels.set_threads(before)
