"""Digests are remembered while a file is what it was, and only then."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from wending.model import content_digest
from wending.model.content_digest import RememberedDigests, digest_of


def nothing() -> None:
    pass


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "digests.json"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are really read. Files count as settled at once."""
    seen: list[Path] = []

    def counted(path: Path, tick: object) -> str:
        seen.append(path)
        return digest_of(path, nothing)

    monkeypatch.setattr(content_digest, "digest_of", counted)
    monkeypatch.setattr(content_digest, "SETTLED_NS", -1)
    return seen


def test_is_of_the_content_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_digest, "BLOCK_BYTES", 3 << 20)
    content = os.urandom(10_000_001)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(content)
    found = digest_of(tmp_path / "a", nothing)
    assert digest_of(tmp_path / "b", nothing) == found
    for changed in (b"\0" + content[1:], content[:-1] + b"\0", content[:-1], content + b"\0", b""):
        (tmp_path / "b").write_bytes(changed)
        assert (digest_of(tmp_path / "b", nothing) == found) == (changed == content)


def test_a_file_is_read_once(tmp_path: Path, store: Path, reads: list[Path]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"content of " + name.encode())
    first = [RememberedDigests(store).digest(tmp_path / name, nothing) for name in ("a", "b")]
    again = [RememberedDigests(store).digest(tmp_path / name, nothing) for name in ("a", "b")]
    assert first == again
    assert len(reads) == 2


def test_what_was_changed_or_replaced_is_read_again(tmp_path: Path, store: Path, reads: list[Path]) -> None:
    path, digests = tmp_path / "file", RememberedDigests(store)
    path.write_bytes(b"one")
    before = digests.digest(path, nothing)
    times = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # size and time of the change as before
    assert digests.digest(path, nothing) == digest_of(path, nothing) != before
    (tmp_path / "other").write_bytes(b"six")
    os.utime(tmp_path / "other", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "other").replace(path)
    assert digests.digest(path, nothing) == digest_of(path, nothing)
    assert len(reads) == 3


def test_a_file_changed_just_now_is_not_remembered(tmp_path: Path, store: Path) -> None:
    (tmp_path / "file").write_bytes(b"new")
    RememberedDigests(store).digest(tmp_path / "file", nothing)
    assert not store.exists()


@pytest.mark.parametrize("damaged", [b"", b"{", b"[1]", b'{"a": 3}', b'{"a": [[1], 2, 3]}'])
def test_a_damaged_memory_is_forgotten(
    tmp_path: Path, store: Path, reads: list[Path], damaged: bytes
) -> None:
    store.write_bytes(damaged)
    (tmp_path / "file").write_bytes(b"content")
    for _ in range(2):
        RememberedDigests(store).digest(tmp_path / "file", nothing)
    assert len(reads) == 1


def test_where_nothing_can_be_remembered_the_digest_is_right(tmp_path: Path, reads: list[Path]) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "no-folder").write_bytes(b"")
    digests = RememberedDigests(tmp_path / "no-folder" / "digests.json")
    assert digests.digest(tmp_path / "file", nothing) == digest_of(tmp_path / "file", nothing)


def test_the_oldest_are_forgotten(
    tmp_path: Path, store: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_digest, "MOST_REMEMBERED", 2)
    digests = RememberedDigests(store)
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(name.encode())
        time.sleep(0.01)
        digests.digest(tmp_path / name, nothing)
    digests.digest(tmp_path / "c", nothing)
    digests.digest(tmp_path / "b", nothing)
    assert len(reads) == 3
    digests.digest(tmp_path / "a", nothing)
    assert len(reads) == 4


def test_the_caller_may_end_the_reading(tmp_path: Path, store: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")

    def interrupt() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        RememberedDigests(store).digest(tmp_path / "file", interrupt)
