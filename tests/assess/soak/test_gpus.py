"""GPUs through a stand-in for NVML's binding: only what the server's processes hold counts."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from wending.assess.soak.gpus import Gpus

GIB = 2**30
RUNNING = {0: {7: 2 * GIB, 9: GIB}, 1: {8: 3 * GIB}, 2: {}, 3: {7: None}}
"""Of each GPU the processes with the bytes that they hold; None where the driver does not tell."""
BUSY = {0: 50, 1: 90, 2: 10, 3: 30}


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module: Any = ModuleType("pynvml")
    module.nvmlInit = lambda: None
    module.nvmlDeviceGetCount = lambda: len(RUNNING)
    module.nvmlDeviceGetHandleByIndex = lambda index: index
    module.nvmlDeviceGetComputeRunningProcesses = lambda index: [
        SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in RUNNING[index].items()
    ]
    module.nvmlDeviceGetUtilizationRates = lambda index: SimpleNamespace(gpu=BUSY[index])
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return module


@pytest.mark.usefixtures("nvml")
def test_what_others_hold_is_not_the_servers() -> None:
    assert Gpus().read({8, 100}) == {"gpu_memory_bytes": 3 * GIB, "gpu_busy": 0.9}
    assert Gpus().read({7, 8}) == {
        "gpu_memory_bytes": 5 * GIB,
        "gpu_busy": pytest.approx((50 + 90 + 30) / 300),
    }
    assert Gpus().read({100}) == {}
    assert Gpus().read(set()) == {}


def test_memory_that_the_driver_does_not_tell_is_unknown(
    nvml: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvml, "nvmlDeviceGetCount", lambda: 1)
    monkeypatch.setattr(nvml, "nvmlDeviceGetHandleByIndex", lambda _: 3)
    assert Gpus().read({7}) == {"gpu_memory_bytes": None, "gpu_busy": 0.3}


def test_without_the_binding_or_a_driver_there_is_nothing(
    nvml: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("NVML: driver not loaded")

    gpus = Gpus()
    monkeypatch.setattr(nvml, "nvmlDeviceGetUtilizationRates", fails)
    assert gpus.read({8}) == {}
    monkeypatch.setattr(nvml, "nvmlInit", fails)
    assert Gpus().read({8}) == {}
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert Gpus().read({8}) == {}
