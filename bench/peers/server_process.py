"""An engine's own HTTP server, run for as long as it is asked."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.peers.engines import EngineSpec
from bench.peers.process import EngineError, end_group, start_group

START_SECONDS = 600.0
POLL_SECONDS = 0.2


@contextmanager
def served(spec: EngineSpec, root: Path, shape: str, threads: int, log: Path) -> Iterator[str]:
    """Starts the server, gives its base URL once it lists its models, and ends it. Raises EngineError."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = spec.server_command(root, shape, threads, port)
    with log.open("ab") as output:
        process = start_group(command, output, spec.variables(root), None)
    _yield_to_clients(process.pid)
    try:
        _wait_until_ready(process, url, f"{spec.name} did not start; see {log}")
        yield url
    finally:
        end_group(process)


def _yield_to_clients(pid: int) -> None:
    """Less of the processor for the server's session (on Linux) where its clients want some too: whoever
    measures must not wait for a server that spins on every core."""
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text("10")


def _wait_until_ready(process: subprocess.Popen[str], url: str, failure: str) -> None:
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({})
    )  # whatever proxy others are asked by
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with direct.open(f"{url}/v1/models", timeout=10):
                return
        except OSError:  # nobody listens, or an answer that says "not yet"
            time.sleep(POLL_SECONDS)
    raise EngineError(failure)


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port
