"""Namespaces: an own view of processes, network and files (unshare(2), mount(2), pivot_root(2))."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Sequence

from .libc import call, syscall

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x20000,
    0x4000000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_ALL = _NEWNS | _NEWUTS | _NEWIPC | _NEWPID | _NEWNET
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 32, 4096, 16384, 1 << 18
_MS_NOATIME, _MS_NODIRATIME, _MS_RELATIME = 1024, 2048, 1 << 21
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
# Flags a mount already carries may not be dropped when it is mounted again; statvfs reports them with the
# same values but these.
_LOCKED = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC | _MS_NOATIME | _MS_NODIRATIME
_ST_RELATIME = 4096


def enter() -> bool:
    """Leave the shared namespaces; the next child becomes process 1 of its own.

    True when a user namespace was needed. Raises OSError where the system allows neither.
    """
    if os.geteuid() == 0:
        try:
            call("unshare", _ALL)
            return False
        except OSError:
            pass
    user, group = os.geteuid(), os.getegid()
    call("unshare", _NEWUSER | _ALL)
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{file}", "w") as handle:  # noqa: PTH123 - pathlib would cost a third of the start-up
            handle.write(text)
    return True


def private_root(base: str, readable: Sequence[str], work: str, work_bytes: int) -> None:
    """Replace the file system by ``readable`` (read-only) and an empty folder ``work`` in memory.

    ``base`` is an empty folder on which the new root is built. The old root is gone afterwards.
    """
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    _mount("tmpfs", base, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
    for folder in readable:
        target = base + folder
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
        _mount(folder, target, None, _MS_BIND | _MS_REC)
        status = os.statvfs(target).f_flag
        kept = status & _LOCKED | (_MS_RELATIME if status & _ST_RELATIME else 0)
        _mount(None, target, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | kept)
    os.makedirs(base + work)  # noqa: PTH103
    _mount(
        "tmpfs",
        base + work,
        "tmpfs",
        _MS_NOSUID | _MS_NODEV | _MS_NOEXEC,
        f"size={work_bytes},nr_inodes=1024,mode=1777",
    )
    os.chdir(base)
    syscall(_PIVOT_ROOT[platform.machine()], ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
    call("umount2", b".", _MNT_DETACH)
    _mount(None, "/", None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)
    os.chdir(work)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind, data)]
    call("mount", texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])
