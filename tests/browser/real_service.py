"""Runs `wending serve` on the bundled model, as a person would, on a port of the system's choice."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running_service() -> Iterator[str]:
    """The base URL of the service, which may still be starting. It ends with the context."""
    command = [sys.executable, "-m", "wending", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield _announced_url(process.stdout.readline())
        finally:
            process.terminate()


def _announced_url(line: str) -> str:
    found = re.search(r"http://\S+", line)
    if found is None:
        raise RuntimeError(f"wending serve did not announce its URL, but: {line!r}")
    return found.group()
