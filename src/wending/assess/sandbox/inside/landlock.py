"""Landlock: which files may be read and written, decided by the kernel for this process only.

See Documentation/userspace-api/landlock.rst of the Linux kernel. Metadata (stat) is not covered by it.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence

from .libc import syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
_ALL_TCP = 0b11
_ALL_SCOPES = 0b11


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """The kernel's Landlock version; raises OSError where there is none."""
    return syscall(_CREATE_RULESET, ctypes.c_void_p(), 0, _VERSION_FLAG)


def restrict(readable: Sequence[str], writable: Sequence[str]) -> None:
    """Allow reading beneath ``readable``, reading and writing beneath ``writable``, and no TCP.

    Needs no_new_privs. Raises OSError where the kernel does not offer Landlock.
    """
    offered = version()
    # Version 2 added moving between folders, 3 truncation, 5 ioctl on devices; 4 TCP; 6 signals and abstract
    # sockets.
    rights = {1: 13, 2: 14}.get(offered, 15 if offered < 5 else 16)
    handled = (1 << rights) - 1
    attributes = (ctypes.c_uint64 * 3)(
        handled, _ALL_TCP if offered >= 4 else 0, _ALL_SCOPES if offered >= 6 else 0
    )
    size = 8 if offered < 4 else 16 if offered < 6 else 24
    ruleset = syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    read = _READ_FILE | _READ_DIR
    write = handled & ~(_EXECUTE | _MAKE_CHAR | _MAKE_SOCK | _MAKE_BLOCK)
    for folder, access in [*((path, read) for path in readable), *((path, write) for path in writable)]:
        parent = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rule = _PathBeneath(access, parent)
        syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
        os.close(parent)
    syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
