"""Errors of the model package: a checkpoint or a context that cannot be had, a conversation refused."""

from __future__ import annotations

from pathlib import Path


class CheckpointError(Exception):
    """A checkpoint file is missing, damaged or of a kind that is not supported.

    `path` is the file or folder at fault; the message names the key or tensor and says what is supported.
    """

    def __init__(self, path: Path | str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = Path(path)
        self.message = message


class ContextNotAvailable(ValueError):  # noqa: N818 - a fact about the model, and a wrong value
    """A context that the model does not have was asked for. The message carries the numbers."""


class ChatTemplateError(ValueError):
    """The chat template refused a conversation, or failed on it."""
