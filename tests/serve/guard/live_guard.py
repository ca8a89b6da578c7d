"""The guard as a real HTTP server on a port of the system's choice, in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.serve.live_server import wait_until

from wending.serve.guard.app import create_guard_app
from wending.serve.guard.guard_service import GuardService, GuardSettings
from wending.serve.guard.upstream import Upstream
from wending.serve.http_server import HTTPServer
from wending.serve.listening_socket import base_url, bind
from wending.serve.operations import Operations


@contextmanager
def live_guard(upstream_url: str) -> Iterator[str]:
    """The URL of a guard in front of `upstream_url`."""
    bound = bind("127.0.0.1", 0)
    service = GuardService(Upstream(upstream_url), GuardSettings(), Operations(drain_s=0.2))
    server = HTTPServer(create_guard_app(service), service)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])), daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield base_url(bound)
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
