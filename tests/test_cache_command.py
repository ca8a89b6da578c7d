"""`wending cache` lists what is kept and empties it, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending import cli
from wending.model.model import Model
from wending.model.weight_cache import WeightCache


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WENDING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return tmp_path / "cache"


def test_lists_and_clears(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = write_random_checkpoint(tmp_path / "my-model", small_config())
    for quant in ("int8", "int4"):
        Model.load(checkpoint, quant, cache=WeightCache(folder, smallest=0))  # type: ignore[arg-type]
    (folder / "other.packed").write_bytes(b"damaged")
    assert cli.main(["cache"]) == 0
    output = capsys.readouterr().out
    for word in (
        str(folder),
        "3 weights",
        "my-model  int8",
        "my-model  int4",
        "?",
        "0.1 MiB",
        "at most 32.0 GiB",
    ):
        assert word in output
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert cli.main(["cache", "list"]) == 0
    assert "3 份权重" in capsys.readouterr().out
    assert cli.main(["cache", "clear"]) == 0
    assert "已清除 0.2 MiB" in capsys.readouterr().out
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert cli.main(["cache", "clear"]) == 0
    assert "0.0 MiB cleared" in capsys.readouterr().out
    assert not list(folder.glob("*.p*"))


def test_there_need_be_no_cache(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cache"]) == cli.main(["cache", "clear"]) == 0
    assert "0 weights" in capsys.readouterr().out
    assert not folder.exists()


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WENDING_CACHE_GIB", "lots")
    assert cli.main(["cache"]) == 1
    assert "WENDING_CACHE_GIB must be a number of GiB, is 'lots'" in capsys.readouterr().err
