"""What can go wrong with an endpoint: one class for each thing that a person would do about it."""

from __future__ import annotations

from typing import ClassVar


class EndpointError(Exception):
    """Base of the errors of an endpoint. The text is one sentence for the person who runs the assessment."""

    kind: ClassVar[str] = "error"


class Unreachable(EndpointError):  # noqa: N818
    """No connection, or the connection was lost before the answer was complete."""

    kind = "unreachable"


class Unauthorized(EndpointError):  # noqa: N818
    """The endpoint refused the key: HTTP 401 or 403."""

    kind = "unauthorized"


class BadStatus(EndpointError):  # noqa: N818
    """The endpoint answered with an error status, or reported an error inside the stream (status 200)."""

    kind = "bad_status"

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        where = f"HTTP {status}" if status != 200 else "an error inside the stream"
        super().__init__(f"the endpoint answered with {where}: {message}")


class Nonsense(EndpointError):  # noqa: N818
    """The endpoint answered, but not with the OpenAI protocol: not JSON, no choices, no end."""

    kind = "nonsense"


class EndpointTimeout(EndpointError):  # noqa: N818
    """The endpoint did not answer, or stopped sending, within the time limit."""

    kind = "timeout"
