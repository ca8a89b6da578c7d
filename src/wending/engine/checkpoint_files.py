"""Notices when a checkpoint was changed while it was served: a restarted engine would answer other bytes."""

from __future__ import annotations

from glob import escape
from pathlib import Path

from wending.engine.errors import CheckpointError
from wending.model.gguf_checkpoint import PART

_READ_SUFFIXES = frozenset({".safetensors", ".json", ".jinja", ".gguf"})


class CheckpointFiles:
    """The files of a checkpoint, a folder or a GGUF file with its other parts, as they are now."""

    def __init__(self, path: Path) -> None:
        """Files that cannot be looked at are left to whoever reads them."""
        self._path = path
        self._states = _states(path)

    def check_unchanged(self) -> None:
        """Raises CheckpointError, which names the file, if size, time of change or inode differ."""
        states = _states(self._path)
        for path in sorted({*self._states, *states}):
            if self._states.get(path) != states.get(path):
                raise CheckpointError(
                    path, "was changed while it was served, and answers begun before would go on differently"
                )


def _states(path: Path) -> dict[Path, tuple[int, int, int]]:
    states: dict[Path, tuple[int, int, int]] = {}
    for file in _files(path):
        try:
            status = file.stat()
        except OSError:
            continue
        states[file] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return states


def _files(path: Path) -> list[Path]:
    try:
        if path.is_dir():
            return [file for file in path.iterdir() if file.suffix in _READ_SUFFIXES]
        part = PART.fullmatch(path.name)
        return list(path.parent.glob(f"{escape(part['stem'])}-*.gguf")) if part else [path]
    except OSError:
        return []
