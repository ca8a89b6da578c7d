"""Errors of the model package: a checkpoint that cannot be used, a conversation that its template refuses."""

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


class ChatTemplateError(ValueError):
    """The chat template refused a conversation, or failed on it."""
