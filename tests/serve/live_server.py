"""A real HTTP server on a port of the system's choice, in a thread, over a fake engine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.serve.fake_client import FakeClient

from wending.serve.api_keys import ApiKeys
from wending.serve.app import create_app
from wending.serve.http_server import HTTPServer
from wending.serve.listening_socket import base_url, bind
from wending.serve.operations import Operations


class LiveServer:
    """Runs until `stop`. `client` is touched by the server's thread; tests only read it."""

    def __init__(self, client: FakeClient, operations: Operations, keys: ApiKeys | None = None) -> None:
        self.client = client
        self._socket = bind("127.0.0.1", 0)
        self.url = base_url(self._socket, tls=operations.tls_cert is not None)
        self.address: tuple[str, int] = self._socket.getsockname()
        app = create_app(client, operations=operations, keys=keys)
        self.service = app.state.service
        self._server = HTTPServer(app, self.service)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        wait_until(lambda: self.service.status()[0] == "ok")

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        with suppress(RuntimeError):  # it has stopped already and its loop is closed
            self._loop.call_soon_threadsafe(self._server.stop)

    def join(self) -> None:
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()


@contextmanager
def live_server(
    client: FakeClient, operations: Operations | None = None, keys: ApiKeys | None = None
) -> Iterator[LiveServer]:
    """A server that runs within the context; without `operations` it hardly waits when it is stopped."""
    server = LiveServer(client, operations or Operations(drain_s=0.2), keys)
    try:
        yield server
    finally:
        server.stop()
        server.join()


def wait_until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Returns as soon as the condition holds; fails if it does not come to hold."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come to hold"
        time.sleep(0.002)
