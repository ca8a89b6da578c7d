"""Packed weights on the disk, so that only the first start with a precision has to quantise.

A folder of files KEY.packed (see `packed_file`). The key is made of the content of the checkpoint's files,
the precision and the version of the packing: what differs in any of them is another entry. A file is written
as KEY.part, under a lock that ends with its process, and gets its name when it is whole. A second start that
finds the lock taken packs for itself and stores nothing: nobody waits, and nobody can wait for the dead.

The cache is a convenience: whatever goes wrong with it costs one line of warning and the time of packing.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from wending import _kernels as ops
from wending.model.content_digest import RememberedDigests, State, state_of
from wending.model.packed_file import DamagedFile, PackedFile, PackedWriter
from wending.model.precision import Precision

_log = logging.getLogger(__name__)

FOLDER_VARIABLE = "WENDING_CACHE"
LIMIT_VARIABLE = "WENDING_CACHE_GIB"
DEFAULT_LIMIT = 32 << 30
SHARE_OF_DISK = 0.5  # of what the cache takes and what is free beside it
# Smaller weights are packed in less time than a file of them is looked up, opened and verified.
SMALLEST = 64 << 20
# To be raised when the same checkpoint and precision come to be packed into other bytes.
PACKING_VERSION = 2

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class CachedWeights:
    """One file of the cache. `model` is the name of the checkpoint's folder; names are "?" if damaged."""

    path: Path
    model: str
    precision: str
    nbytes: int
    last_used: float
    """Seconds since 1970."""


def default_folder() -> Path:
    """$WENDING_CACHE, else wending in $XDG_CACHE_HOME or ~/.cache. Raises RuntimeError without a home."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    general = os.environ.get("XDG_CACHE_HOME")
    return (Path(general) if general else Path.home() / ".cache") / "wending"


def default_limit() -> int:
    """Bytes that all files may take: $WENDING_CACHE_GIB, else 32 GiB. Raises ValueError for a bad number."""
    named = os.environ.get(LIMIT_VARIABLE)
    if not named:
        return DEFAULT_LIMIT
    try:
        limit = float(named)
    except ValueError:
        limit = -1
    if not 0 <= limit < 1 << 20:
        raise ValueError(f"{LIMIT_VARIABLE} must be a number of GiB, is {named!r}")
    return int(limit * (1 << 30))


class WeightCache:
    """The cache in `folder`, whose files take at most `limit` bytes and at most half of the free disk.

    Weights of fewer than `smallest` bytes are not kept.
    """

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT, smallest: int = SMALLEST) -> None:
        self.folder, self.limit, self.smallest = folder, limit, smallest

    @classmethod
    def default(cls) -> WeightCache | None:
        """The user's own cache; None, with a warning, where there is no place for one."""
        try:
            return cls(default_folder(), default_limit())
        except (RuntimeError, ValueError) as error:
            _log.warning("weights are not cached: %s", error)
            return None

    def keeps(self, precision: Precision, nbytes: int) -> bool:
        """Whether weights of this precision and size are cached: quantised ones, from a certain size on."""
        formats = [precision.layers, *precision.published.values()]
        return any(each.precision in ("int8", "int4") for each in formats) and nbytes >= self.smallest

    def entry(self, files: Sequence[Path], model: str, precision: Precision, tick: Tick) -> CacheEntry | None:
        """The place of a model's weights in the cache, filled or not.

        `files` are all whose content the weights follow from. None, with a warning, where one cannot be read.
        `tick` is called now and then while they are read for the first time; what it raises ends the reading.
        """
        try:
            states = {file: state_of(file) for file in files}
            digests = RememberedDigests(self.folder / "digests.json")
            contents = sorted(digests.digest(file, tick) for file in files)
        except OSError as error:
            _log.warning("weights are not cached: %s", error)
            return None
        published = [f"{name}: {each!r}" for name, each in sorted(precision.published.items())]
        formats = [precision.name, repr(precision.layers), repr(precision.ends), *published]
        identity = orjson.dumps([PACKING_VERSION, formats, contents])
        key = hashlib.sha256(identity).hexdigest()[:32]
        shown = os.fsencode(model).decode(errors="replace")  # a name need not be UTF-8
        return CacheEntry(self, key, {"model": shown, "precision": precision.name}, states)

    def files(self) -> list[CachedWeights]:
        """What is in the cache, last used first."""
        found = [entry for path in self._paths("*.packed") if (entry := _described(path)) is not None]
        return sorted(found, key=lambda entry: -entry.last_used)

    def clear(self) -> int:
        """Removes everything that is not being written, and returns the bytes set free.

        Processes that use a file keep it until they end. Raises OSError where a file cannot be removed.
        """
        freed = 0
        for entry in self.files():
            entry.path.unlink(missing_ok=True)
            freed += entry.nbytes
        self._remove_abandoned()
        (self.folder / "digests.json").unlink(missing_ok=True)
        return freed

    def make_room(self, nbytes: int) -> bool:
        """Removes what was used longest ago until `nbytes` more fit; False where they cannot.

        Raises OSError.
        """
        self._remove_abandoned()
        files = self.files()
        used = sum(entry.nbytes for entry in files)
        limit = min(self.limit, int((shutil.disk_usage(self.folder).free + used) * SHARE_OF_DISK))
        if nbytes > limit:
            return False
        while used + nbytes > limit:
            oldest = files.pop()
            oldest.path.unlink(missing_ok=True)
            used -= oldest.nbytes
            _log.info("removed %s %s from the cache", oldest.model, oldest.precision)
        return True

    def _remove_abandoned(self) -> None:
        """Removes unfinished files whose writers have died."""
        for path in self._paths("*.part"):
            with suppress(OSError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)

    def _paths(self, pattern: str) -> list[Path]:
        try:
            return list(self.folder.glob(pattern))
        except OSError:
            return []


class CacheEntry:
    """The place of one checkpoint's weights in one precision."""

    def __init__(
        self,
        cache: WeightCache,
        key: str,
        description: dict[str, str],
        states: dict[Path, State],
    ) -> None:
        self.path = cache.folder / f"{key}.packed"
        self._cache, self._description, self._states = cache, description, states

    def open(self, tick: Tick) -> PackedFile | None:
        """The weights, verified; None where there are none. A damaged file is removed.

        `tick` is called for each weight; what it raises ends the reading.
        """
        try:
            packed = PackedFile(self.path)
            packed.verify(tick)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None
        except OSError as error:  # of the system, not of the file
            _log.warning("packed weights %s cannot be read: %s", self.path, error)
            return None
        except (ValueError, KeyError, DamagedFile) as error:
            self.discard(error)
            return None
        with suppress(OSError):
            os.utime(self.path)  # last used now
        return packed

    def discard(self, reason: Exception) -> None:
        """Removes a file that cannot be used."""
        _log.warning("packed weights %s cannot be used and are made again: %s", self.path, reason)
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    @contextmanager
    def storing(self, nbytes: int) -> Iterator[EntryWriter | None]:
        """To be given every weight within the context, `nbytes` in all; then the file is in its place.

        None where it cannot be written or another process writes it. After an exception nothing is left.
        """
        writer = self._writer(nbytes)
        try:
            yield writer
            if writer is not None:
                writer.finish()
        finally:
            if writer is not None:
                writer.close()

    def _writer(self, nbytes: int) -> EntryWriter | None:
        try:
            self._cache.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self._cache.make_room(nbytes):
                _log.warning(
                    "weights are not cached: their %d MB are more than the cache in %s may take",
                    nbytes // 10**6,
                    self._cache.folder,
                )
                return None
            partial = self.path.with_suffix(".part")
            descriptor = _locked(partial)
        except OSError as error:
            _log.warning("weights are not cached: %s", error)
            return None
        if descriptor is None:
            return None
        return EntryWriter(descriptor, partial, self.path, self._description, self._states)


class EntryWriter:
    """Writes one entry. A fault of the disk is told once and ends the writing, never the loading."""

    def __init__(
        self,
        descriptor: int,
        partial: Path,
        path: Path,
        description: dict[str, str],
        states: dict[Path, State],
    ) -> None:
        self.is_stored = False
        self._descriptor, self._partial, self._path = descriptor, partial, path
        self._description, self._states = description, states
        self._file: PackedWriter | None = PackedWriter(descriptor)

    def add(self, name: str, weight: ops.Weight) -> None:
        if self._file is None:
            return
        try:
            self._file.add(name, weight)
        except OSError as error:
            self._give_up(error)

    def finish(self) -> None:
        """The file becomes an entry, unless the checkpoint was changed while it was read."""
        if self._file is None:
            return
        try:
            self._file.finish(self._description)
            changed = [file for file, state in self._states.items() if state_of(file) != state]
            if changed:
                raise OSError(f"{changed[0]} was changed meanwhile")
            self._partial.rename(self._path)
            self.is_stored = True
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Lets go of the lock; what was not finished is removed."""
        if not self.is_stored:
            with suppress(OSError):
                self._partial.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _give_up(self, error: OSError) -> None:
        _log.warning("weights are not cached: %s", error)
        self._file = None
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)


def _locked(path: Path) -> int | None:
    """A descriptor of the empty file `path`, locked for this process; None where another holds the lock.

    Between opening and locking, the holder before us may have renamed or removed the file: then it is not
    ours to write to.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor))
    except BlockingIOError:
        is_ours = False
    except OSError:
        os.close(descriptor)
        raise
    if not is_ours:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    return descriptor


def _described(path: Path) -> CachedWeights | None:
    """What a file of the cache is; None where it is gone by now."""
    try:
        status = path.stat()
    except OSError:
        return None
    try:
        description = PackedFile(path).description
        model, precision = str(description["model"]), str(description["precision"])
    except (OSError, ValueError, KeyError, DamagedFile):
        model = precision = "?"
    return CachedWeights(path, model, precision, status.st_size, min(status.st_mtime, time.time()))
