"""The errors of the engine that callers are meant to catch."""

from __future__ import annotations

from wending.model.errors import CheckpointError, ContextNotAvailable

__all__ = [
    "CheckpointError",
    "ContextNotAvailable",
    "EngineDead",
    "InvalidRequest",
    "NotEnoughMemory",
    "Overloaded",
]


class InvalidRequest(ValueError):  # noqa: N818 - the name is the word of the API: the request is invalid, not the engine
    """A request that cannot be honoured as it stands. Nothing was computed for it.

    `field` names the parameter at fault, `message` says what is wrong with which numbers, and `code` is the
    machine-readable reason of OpenAI's error object where one exists (for example "context_length_exceeded").
    """

    def __init__(self, field: str, message: str, code: str | None = None) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.code = code

    def __reduce__(self) -> tuple[type[InvalidRequest], tuple[str, str, str | None]]:
        return InvalidRequest, (self.field, self.message, self.code)


class EngineDead(RuntimeError):  # noqa: N818
    """The engine has stopped, by `close()` or through a failure, which the message names."""


class NotEnoughMemory(RuntimeError):  # noqa: N818
    """The model does not fit into the memory it may use. The message carries all numbers involved."""


class Overloaded(RuntimeError):  # noqa: N818
    """So much is in flight that one more request would wait too long. The message carries the numbers."""
