"""System calls that Python has no function for, through ctypes; failures are OSErrors that name the call."""

from __future__ import annotations

import ctypes
import os
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38


def call(function: str, *arguments: Any) -> int:
    """Call a C library function that reports failure by a negative result."""
    result: int = getattr(_libc, function)(*arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function}: {os.strerror(error)}")
    return result


def syscall(number: int, *arguments: Any) -> int:
    """Call the kernel directly; plain integers are passed as 64 bits wide."""
    return call(
        "syscall", ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)
    )


def prctl(option: int, value: int, pointer: Any = 0) -> None:
    """prctl(2)."""
    call(
        "prctl",
        option,
        ctypes.c_ulong(value),
        pointer if pointer else ctypes.c_ulong(0),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )


def drop_capabilities() -> None:
    """Give up every capability of this process (capset(2), version 3 of the header)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())
