"""uvicorn as this service runs it, and how it comes to an end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from fastapi import FastAPI

BACKLOG = 2048
KEEP_ALIVE_S = (
    75  # longer than the pools of usual clients and proxies keep a connection, so that they close it first
)


class Stoppable(Protocol):
    """A service, of which the server needs to know only how its running answers are ended."""

    stopping: asyncio.Event


class HTTPServer(uvicorn.Server):
    """Serves one application on a socket that is bound already.

    When it is told to stop, it takes no more connections; answers that are not complete after `grace_s`
    seconds are ended with an error.
    """

    def __init__(self, app: FastAPI, service: Stoppable, grace_s: float) -> None:
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, round(grace_s) + 2),
        )
        super().__init__(config)
        self._service = service
        self._grace_s = grace_s

    def stop(self) -> None:
        """Begin to stop; a second call does not wait for running answers."""
        if self.should_exit:
            self._service.stopping.set()
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        ending = asyncio.get_running_loop().call_later(self._grace_s, self._service.stopping.set)
        await super().shutdown(sockets)
        ending.cancel()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves signals to the caller: uvicorn would raise them again, and the exit code tell of a crash."""
        yield
