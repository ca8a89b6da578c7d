"""How many connections a process may have open."""

from __future__ import annotations

import contextlib
import resource


def allow_as_many_sockets_as_possible() -> None:
    """Raises the soft limit of open files, often 1,024, to the hard one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
