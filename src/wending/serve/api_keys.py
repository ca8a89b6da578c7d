"""API keys: where they come from, and who presents one. Only their SHA-256 digests are kept."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

VARIABLE = "WENDING_API_KEYS"

_COMMENT = re.compile(r"(^|\s)#.*")
_KEY = re.compile(r"[!-~]+")  # what a header can carry


class BadKeys(Exception):  # noqa: N818
    """A file or variable does not hold keys. The message says where and why, and shows no key."""


class _Key(NamedTuple):
    name: str
    digest: bytes


class ApiKeys:
    """The keys that open the service, each with a name. Empty: the service is open to everybody."""

    def __init__(self, keys: Sequence[_Key] = ()) -> None:
        self._keys = tuple(keys)

    @classmethod
    def load(cls, file: Path | None, environment: Mapping[str, str]) -> Self:
        """The keys of `file` and of the variable WENDING_API_KEYS together. Raises BadKeys.

        An entry is `KEY` or `NAME KEY`, a line of the file or what is between two commas of the variable; `#`
        begins a comment. Without a name it is key-1, key-2 and so on by its place. Keys may share a name:
        that is how one is replaced while both are valid. A source without a key is an error, because
        whoever names one wants the service closed.
        """
        keys: list[_Key] = []
        if file is not None:
            keys += _keys(str(file), "line", _read(file).splitlines(), len(keys))
        if VARIABLE in environment:
            keys += _keys(VARIABLE, "entry", re.split(r"[,\n]", environment[VARIABLE]), len(keys))
        place: dict[bytes, int] = {}
        for number, key in enumerate(keys, 1):
            if key.digest in place:
                raise BadKeys(f"keys {place[key.digest]} and {number} of {len(keys)} are the same")
            place[key.digest] = number
        return cls(keys)

    def replace(self, keys: ApiKeys) -> None:
        """Be those of `keys` from now on. May be called from any thread."""
        self._keys = keys._keys

    def __bool__(self) -> bool:
        return bool(self._keys)

    def name_of(self, key: str) -> str | None:
        """The name of a key, or None if it is not one. Takes as long for any key that is not.

        Digests are compared, all of them, each in constant time: how long it takes tells nothing of how much
        of a key was right.
        """
        digest = sha256(key.encode()).digest()
        name = None
        for known in self._keys:
            if hmac.compare_digest(known.digest, digest):
                name = known.name
        return name


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadKeys(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadKeys(f"{file}: is not UTF-8 text at byte {error.start}") from error


def _keys(source: str, unit: str, entries: Iterable[str], before: int) -> list[_Key]:
    keys = [
        _Key(name or f"key-{before + place}", sha256(key.encode()).digest())
        for place, (name, key) in enumerate(_entries(source, unit, entries), 1)
    ]
    if not keys:
        raise BadKeys(f"{source}: holds no key")
    return keys


def _entries(source: str, unit: str, entries: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name, which may be empty, and key of each entry."""
    for number, entry in enumerate(entries, 1):
        words = _COMMENT.sub("", entry).split()
        if not words:
            continue
        if len(words) > 2:
            raise BadKeys(f"{source}, {unit} {number}: expected KEY or NAME KEY, got {len(words)} words")
        name, key = words if len(words) == 2 else ("", words[0])
        if not _KEY.fullmatch(key) or not name.isprintable():
            raise BadKeys(f"{source}, {unit} {number}: a key is of printable ASCII characters")
        yield name, key
