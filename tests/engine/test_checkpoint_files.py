from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from wending.engine.checkpoint_files import CheckpointFiles
from wending.engine.errors import CheckpointError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("config.json", "model.safetensors", "notes.log"):
        (tmp_path / name).write_text("content")
    return tmp_path


def test_unchanged(folder: Path) -> None:
    files = CheckpointFiles(folder)
    (folder / "notes.log").write_text("of somebody else")
    (folder / "config.json").read_text()
    files.check_unchanged()


def test_content_time_and_inode_count_and_so_do_new_and_missing_files(folder: Path) -> None:
    weights = folder / "model.safetensors"

    def replaced() -> None:
        shutil.copy2(weights, folder / "copy")
        (folder / "copy").replace(weights)

    changes = {
        "model.safetensors": [
            lambda: weights.write_text("other content"),
            lambda: os.utime(weights, (0, 0)),
            replaced,
            weights.unlink,
        ],
        "tokenizer.json": [(folder / "tokenizer.json").touch],
    }
    for name, each in changes.items():
        for change in each:
            files = CheckpointFiles(folder)
            change()
            with pytest.raises(CheckpointError, match=f"{name}: was changed while it was served"):
                files.check_unchanged()


@pytest.mark.parametrize("changed", ["some-00001-of-00002.gguf", "some-00002-of-00002.gguf"])
def test_all_parts_of_a_gguf_file(tmp_path: Path, changed: str) -> None:
    for name in ("some-00001-of-00002.gguf", "some-00002-of-00002.gguf", "other.gguf"):
        (tmp_path / name).write_text("content")
    files = CheckpointFiles(tmp_path / "some-00001-of-00002.gguf")
    (tmp_path / "other.gguf").write_text("of another model")
    files.check_unchanged()
    (tmp_path / changed).write_text("other content")
    with pytest.raises(CheckpointError, match=changed):
        files.check_unchanged()


def test_a_single_gguf_file(tmp_path: Path) -> None:
    path = tmp_path / "some.gguf"
    path.write_text("content")
    files = CheckpointFiles(path)
    (tmp_path / "other.gguf").write_text("of another model")
    files.check_unchanged()
    path.unlink()
    with pytest.raises(CheckpointError, match=r"some\.gguf"):
        files.check_unchanged()


def test_what_is_not_there_is_left_to_who_reads_it(tmp_path: Path) -> None:
    CheckpointFiles(tmp_path / "nowhere").check_unchanged()
