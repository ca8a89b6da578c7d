"""What an assessment leaves on the disk: whole files, and logs of whole lines, even if the disk is full."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType

from wending.assess.bilingual import Bilingual


class OutputError(Exception):
    """A file or a folder of the output cannot be used. `words` name it, and why."""

    def __init__(self, words: Bilingual) -> None:
        self.words = words
        super().__init__(words)


def cannot_write(path: Path, error: OSError) -> OutputError:
    why = error.strerror or str(error)
    return OutputError(Bilingual(f"cannot write to {path}: {why}", f"无法写入 {path}：{why}"))


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file beside and moves it into its place: what stands there is the old one or the new one, and
    never a part. Raises OutputError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            beside.write_bytes(content)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None


def kept_in(folder: Path) -> str:
    """What a folder holds, for whoever hears that a file could not be written there."""
    return ", ".join(sorted(path.name for path in folder.iterdir() if path.stat().st_size)) or "–"


class LineLog:
    """A file to which lines are appended; each is on its way to the disk at once, whatever ends the writer.

    A context manager. What was in the file before stays. The line that does not fit any more is taken back,
    so that the ones before it are all whole.
    """

    def __init__(self, path: Path) -> None:
        """Raises OutputError."""
        self._path = path
        try:
            self._file = path.open("ab", buffering=0)
            # A line that was cut off by the end of the writer before must not take the next one with it.
            if os.fstat(self._file.fileno()).st_size:
                self.append(b"")
        except OSError as error:
            raise cannot_write(path, error) from None

    def append(self, line: bytes) -> None:
        """Raises OutputError."""
        end = os.fstat(self._file.fileno()).st_size
        try:
            left = memoryview(line + b"\n")
            while left:  # a disk may take a part, and say with the next one why it does not take the rest
                left = left[self._file.write(left) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(end)
            raise cannot_write(self._path, error) from None

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> LineLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
