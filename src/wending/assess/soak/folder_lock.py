"""One soak at a time in a folder: two would write one log, and the second would end the first's server."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from wending.assess.bilingual import Bilingual
from wending.assess.soak.summary import NoSoakError


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Held by this process alone and let go by the kernel when it ends, however. Raises NoSoakError where the
    folder does not exist or a soak runs in it."""
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        why = error.strerror or str(error)
        raise NoSoakError(Bilingual(f"{folder}: {why}", f"{folder}：{why}")) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise NoSoakError(
            Bilingual(f"a soak is running in {folder}", f"{folder} 中有一次浸泡测试正在运行")
        ) from None
    except OSError:
        # A file system without such locks: then the soak runs without.
        pass
    try:
        yield
    finally:
        os.close(file)
