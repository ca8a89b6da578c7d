"""uvicorn as this service runs it, and how it comes to an end."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from wending.serve.garbage import collect_if_due, full_collections_on_call
from wending.serve.hosted import Hosted
from wending.serve.http_protocol import BoundedHeadProtocol
from wending.serve.tls import ServerCertificate

BACKLOG = 2048
KEEP_ALIVE_S = (
    75  # longer than the pools of usual clients and proxies keep a connection, so that they close it first
)
END_S = 2  # what answers that are ended with an error are given to go out


class HTTPServer(uvicorn.Server):
    """Serves one application on a socket that is bound already.

    When it is told to stop, new work is refused (see Gate) while running answers complete. It ends when none
    runs any more; those that are not complete after `Operations.drain_s` are ended with an error.
    """

    def __init__(self, app: FastAPI, service: Hosted) -> None:
        operations = service.operations
        config = uvicorn.Config(
            app,
            http=BoundedHeadProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=END_S,
            ssl_certfile=operations.tls_cert,
            ssl_keyfile=operations.tls_key,
        )
        super().__init__(config)
        self.certificate: ServerCertificate | None = None
        """Of new connections, if TLS is served."""
        if operations.tls_cert is not None and operations.tls_key is not None:
            self.certificate = ServerCertificate(operations.tls_cert, operations.tls_key)
        self._service = service
        self._drain_end = 0.0

    def stop(self) -> None:
        """Begin to stop; a second call does not wait for running answers."""
        if self._service.draining:
            self._service.stopping.set()
            self.should_exit = self.force_exit = True
        self._service.draining = True
        self._drain_end = time.monotonic() + self._service.operations.drain_s

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        with full_collections_on_call():
            await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self.certificate is not None and self.config.ssl is not None:
            self.config.ssl.sni_callback = self.certificate.present
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second; True ends the server."""
        collect_if_due(self._service.requests.total)
        if self._service.draining and (
            self._service.requests.total == 0 or time.monotonic() >= self._drain_end
        ):
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.stopping.set()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves signals to the caller: uvicorn would raise them again, and the exit code tell of a crash."""
        yield
