"""Memory and use of NVIDIA GPUs by the server's processes."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import Any


class Gpus:
    """Through NVML, where its Python binding (`nvidia-ml-py`, the extra `gpu`), its library and a GPU are.

    https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html
    """

    def __init__(self) -> None:
        self._nvml: Any = None
        with contextlib.suppress(Exception):
            # Without the binding, the library or a GPU there is nothing to say, and that is no error.
            import pynvml  # type: ignore[import-untyped,import-not-found,unused-ignore]

            pynvml.nvmlInit()
            self._nvml = pynvml

    def read(self, pids: Collection[int]) -> dict[str, Any]:
        """`gpu_memory_bytes` that these processes hold on all GPUs, and `gpu_busy`: the mean share of time
        that those GPUs were busy, whoever kept them so. Empty where the processes use none, or NVML does not
        know them by these numbers, as inside a container with process numbers of its own."""
        with contextlib.suppress(Exception):
            return self._read(pids)
        return {}

    def _read(self, pids: Collection[int]) -> dict[str, Any]:
        if self._nvml is None:
            return {}
        memory, busy = 0, []
        for index in range(self._nvml.nvmlDeviceGetCount()):
            handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
            running = self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)
            its_own = [process for process in running if process.pid in pids]
            if its_own:
                # Where the driver does not tell a process's memory, it is None.
                memory += sum(process.usedGpuMemory or 0 for process in its_own)
                busy.append(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        if not busy:
            return {}
        return {"gpu_memory_bytes": memory or None, "gpu_busy": sum(busy) / (100 * len(busy))}
