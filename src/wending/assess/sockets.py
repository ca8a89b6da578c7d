"""The sockets of this machine: how many a process may have open, and why one could not be opened."""

from __future__ import annotations

import contextlib
import os
import resource
import ssl


def allow_as_many_sockets_as_possible() -> None:
    """Raises the soft limit of open files, often 1,024, to the hard one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def reason(error: OSError) -> str:
    """Why a connection could not be opened, in the system's words; the libraries between add their own."""
    # TLS and names that cannot be resolved have numbers of their own, several addresses have none.
    if error.errno is not None and error.errno > 0 and not isinstance(error, ssl.SSLError):
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
