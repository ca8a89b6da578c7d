"""What `wending soak` refuses: nothing that is typed is left aside without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from wending.cli import main


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["http://127.0.0.1:9/v1"], "TARGET"),
        (["--hours", "1", "--concurrency", "2"], "--hours, --concurrency"),
        (["--capacity", "1"], "--capacity"),
        (["--out", "elsewhere"], "--out"),
        (["--canary", "9"], "--canary"),
        (["--sample", "9"], "--sample"),
        (["--stall", "9"], "--stall"),
        (["--seed", "0"], "--seed"),
        (["--model", "m"], "--model"),
    ],
)
@pytest.mark.parametrize("only", ["--resume", "--report"])
def test_what_stands_in_the_log_cannot_be_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], only: str, more: list[str], named: str
) -> None:
    assert main(["soak", *more, only, str(tmp_path), "--lang", "en"]) == 2
    assert capsys.readouterr().err == (
        f"Error: {only} takes target and plan from the folder's log; leave out {named}\n"
    )
    assert main(["soak", *more, only, str(tmp_path), "--lang", "zh"]) == 2
    assert f"请去掉 {named}" in capsys.readouterr().err


def test_one_folder_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path)
    assert main(["soak", "--resume", folder, "--report", folder, "--lang", "en"]) == 2
    assert "leave out --resume" in capsys.readouterr().err


def test_a_folder_without_a_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for only in ("--resume", "--report"):
        assert main(["soak", only, str(tmp_path), "--lang", "zh"]) == 2
        assert f"错误：{tmp_path} 中没有浸泡测试" in capsys.readouterr().err


def test_processes_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url, out = "http://127.0.0.1:9/v1", str(tmp_path / "out")
    assert main(["soak", url, "--pid", "4194305", "--out", out, "--lang", "en"]) == 2
    assert "--pid 4194305: no such process" in capsys.readouterr().err
    assert main(["soak", "--pid", "1", "--out", out, "--lang", "zh"]) == 2
    assert "--pid 用于已在运行的服务" in capsys.readouterr().err
