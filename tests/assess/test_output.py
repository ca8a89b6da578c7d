"""Files are whole or not there, and logs hold whole lines, also where the disk is full."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.assess.full_disk import files_of_at_most

from wending.assess.output import LineLog, OutputError, kept_in, write_whole


def test_a_file_that_does_not_fit_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_whole(path, b"before")
    with files_of_at_most(100), pytest.raises(OutputError) as raised:
        write_whole(path, b"x" * 1000)
    assert str(path) in str(raised.value)
    assert "File too large" in raised.value.words
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file or directory") as raised:
        write_whole(tmp_path / "gone" / "report.json", b"{}")
    assert "无法写入" in raised.value.words.zh


def test_a_line_that_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    with LineLog(path) as log:
        log.append(b"1" * 40)
        with files_of_at_most(60):
            for _ in range(2):
                with pytest.raises(OutputError, match=r"runs\.jsonl"):
                    log.append(b"2" * 40)
        log.append(b"3" * 40)
    assert path.read_bytes().split() == [b"1" * 40, b"3" * 40]


def test_a_line_of_an_earlier_writer_that_was_cut_off_takes_no_other_with_it(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_bytes(b'{"cut')
    with LineLog(path) as log:
        log.append(b"{}")
    assert path.read_bytes().splitlines() == [b'{"cut', b"{}"]


def test_what_is_kept_are_the_files_with_something_in_them(tmp_path: Path) -> None:
    assert kept_in(tmp_path) == "–"
    (tmp_path / "runs.jsonl").write_bytes(b"{}")
    (tmp_path / "report.json").touch()
    assert kept_in(tmp_path) == "runs.jsonl"
