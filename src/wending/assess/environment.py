"""Facts about the machine and the software, so that another person can repeat an assessment."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

import wending

_INSTRUCTION_SETS = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx_vnni",
    "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimddp", "bf16", "i8mm", "sve", "sve2",
)  # fmt: skip


def environment_facts(arguments: Sequence[str]) -> dict[str, Any]:
    """Machine, operating system, versions and the command line, in which a key is blanked."""
    fields = _cpuinfo()
    flags = set(fields.get("flags", fields.get("Features", "")).split())
    return {
        "cpu": fields.get("model name") or platform.processor() or platform.machine(),
        "logical_cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "instruction_sets": [name for name in _INSTRUCTION_SETS if name in flags],
        "os": platform.platform(),
        "python": platform.python_version(),
        "wending": wending.__version__,
        "command": " ".join(_without_key(arguments)),
    }


def _cpuinfo() -> dict[str, str]:
    """The first processor's entry of /proc/cpuinfo; empty where there is none."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    first = path.read_text("utf-8", "replace").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _without_key(arguments: Sequence[str]) -> list[str]:
    name = Path(arguments[0]).name if arguments else ""
    shown = ["wending" if name in ("", "__main__.py") else name, *arguments[1:]]
    for index, argument in enumerate(shown):
        if argument.startswith("--api-key="):
            shown[index] = "--api-key=***"
        elif index and shown[index - 1] == "--api-key":
            shown[index] = "***"
    return shown


def command_line() -> Sequence[str]:
    """The command line of this process."""
    return sys.argv
