"""How much memory this process may still take: what the machine has free, or less under a cgroup's limit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def available_memory() -> int:
    """Bytes that can be taken without swapping and without being killed for it."""
    free = int(psutil.virtual_memory().available)
    return min([free, *_cgroup_headroom(_OWN_CGROUPS, _CGROUP_ROOT)])


def _cgroup_headroom(own_cgroups: Path, root: Path) -> Iterator[int]:
    """Bytes left under the limit of each control group around this process, of version 2 or 1.

    Each line of `own_cgroups` reads hierarchy:controllers:path. A group's memory in use includes file cache
    that the kernel would give up first, so what is inactive of it counts as free.
    """
    try:
        lines = own_cgroups.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, names = root, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            base = root / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        group = base / path.lstrip("/")
        # Inside a container the path may be that of the host; the group is then mounted at the base itself.
        for folder in [group, *(parent for parent in group.parents if parent.is_relative_to(base))]:
            headroom = _headroom(folder, *names)
            if headroom is not None:
                yield headroom


def _headroom(folder: Path, limit_name: str, usage_name: str, reclaimable_key: str) -> int | None:
    """Bytes left in one control group; None if it sets no limit."""
    try:
        limit = (folder / limit_name).read_text().strip()
        usage = int((folder / usage_name).read_text())
        statistics = (folder / "memory.stat").read_text()
    except OSError:
        return None
    if limit == "max":
        return None
    reclaimable = next(
        (int(line.split()[1]) for line in statistics.splitlines() if line.startswith(f"{reclaimable_key} ")),
        0,
    )
    return max(int(limit) - usage + reclaimable, 0)
