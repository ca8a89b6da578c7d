"""What generated code may use up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run; all are enforced by the operating system or by the process that watches it.

    An endless loop ends at ``cpu_seconds``; ``wall_seconds`` is longer, since the machine may be busy with
    the model.
    """

    wall_seconds: float = 15.0
    cpu_seconds: int = 4
    memory_bytes: int = 256 * 1024 * 1024
    output_bytes: int = 64 * 1024
    file_bytes: int = 4 * 1024 * 1024
    open_files: int = 32
    processes: int = 16
