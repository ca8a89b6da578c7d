"""What server and gate need to know of an application, whoever answers its requests."""

from __future__ import annotations

import asyncio

from wending.serve.operations import Operations
from wending.serve.request_count import RequestCount

PING_S = 15.0


class Hosted:
    """How an application is run, and how far its end has come."""

    def __init__(self, operations: Operations | None = None) -> None:
        self.operations = operations or Operations()
        self.max_body_bytes = self.operations.max_body_bytes
        self.requests = RequestCount(self.operations.max_requests, self.operations.max_requests_per_key)
        self.ping_s = PING_S
        """How long a stream may be silent before a comment is sent."""
        self.draining = False
        """Whether the server was told to stop: answers that run may complete, new work is refused."""
        self.stopping = asyncio.Event()
        """Set when the answers that still run must end now."""
