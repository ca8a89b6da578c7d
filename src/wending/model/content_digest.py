"""Digests of the content of large files, remembered as long as the files stay what they were.

Hashing a checkpoint of 15 GB takes ten seconds, a look at its files no time. So a digest is remembered with
the file's size, inode and times, as version control systems do, and the file is hashed again when any of
them differs. The time of the last change of status is among them, which no program can set.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import orjson

from wending.model.threads import available_processors

BLOCK_BYTES = 32 << 20  # hashed one by one, in several threads; the digest is that of their digests
READ_BYTES = 1 << 20
MOST_REMEMBERED = 1000
# A file changed later than this before its hashing began may change again within the clock's resolution.
SETTLED_NS = 2_000_000_000

State = list[int]


def state_of(path: Path) -> State:
    """What differs when a file was changed or replaced. Raises OSError."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev]


def digest_of(path: Path, tick: Callable[[], None]) -> str:
    """Digest of a file's content, read afresh; `tick` is called now and then. Raises OSError."""
    with path.open("rb", buffering=0) as file, ThreadPoolExecutor(available_processors()) as pool:
        size = os.fstat(file.fileno()).st_size
        whole = hashlib.sha256(size.to_bytes(8, "little"))
        starts = range(0, size, BLOCK_BYTES)
        for block in pool.map(lambda start: _block_digest(file.fileno(), start), starts):
            tick()
            whole.update(block)
    return whole.hexdigest()


class RememberedDigests:
    """Digests by path, kept in the JSON file `store`, which may be lost at any time without harm."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def digest(self, path: Path, tick: Callable[[], None]) -> str:
        """Digest of a file's content, remembered or read. Raises OSError where the file cannot be read."""
        name, state = str(path.resolve()), state_of(path)
        remembered = self._load()
        known = remembered.get(name)
        if known is not None and known[0] == state:
            return known[1]
        begun = time.time_ns()
        digest = digest_of(path, tick)
        if state_of(path) == state and max(state[1], state[2]) < begun - SETTLED_NS:
            self._save({name: (state, digest)} | {key: remembered[key] for key in remembered if key != name})
        return digest

    def _load(self) -> dict[str, tuple[State, str]]:
        try:
            found = orjson.loads(self._store.read_bytes())
            return {str(name): (list(state), str(digest)) for name, (state, digest) in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _save(self, digests: dict[str, tuple[State, str]]) -> None:
        """Two starts at once may lose one's entry, never harm the file."""
        newest = dict(list(digests.items())[:MOST_REMEMBERED])
        partial = self._store.with_suffix(f".{os.getpid()}.part")
        try:
            self._store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial.write_bytes(orjson.dumps(newest))
            partial.replace(self._store)
        except (OSError, TypeError):  # the second for a path that is not UTF-8
            with suppress(OSError):
                partial.unlink(missing_ok=True)


def _block_digest(descriptor: int, start: int) -> bytes:
    """The file is read, not mapped: so its pages do not count as memory of this process."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(READ_BYTES))
    position, end = start, start + BLOCK_BYTES
    while position < end and (count := os.preadv(descriptor, [buffer[: end - position]], position)):
        digest.update(buffer[:count])
        position += count
    return digest.digest()
