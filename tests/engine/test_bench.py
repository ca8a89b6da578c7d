"""`wending bench` on a small model: tables in both languages, JSON, refusals with the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine import bench


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = small_config(max_position_embeddings=256)
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model", config)


@pytest.fixture(autouse=True)
def fast_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "read_bandwidth", lambda: 40e9)
    monkeypatch.setattr(bench, "peak_operations", lambda precision: 500e9)


def run(folder: Path | None, **changes: Any) -> int:
    return bench.run_bench(folder, **{"batches": [1, 3], "prompt": 20, "tokens": 4, "repeats": 2} | changes)


def test_figures_on_the_terminal_and_as_json(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, json_file=tmp_path / "speed.json") == 0
    shown = capsys.readouterr().out
    assert "decode" in shown
    assert "40.0 GB/s, 500 GOP/s" in shown
    figures = json.loads((tmp_path / "speed.json").read_text())
    assert [row["batch"] for row in figures["batches"]] == [1, 3]
    assert figures["weight_bytes"] < figures["most_resident_bytes"]
    for row in figures["batches"]:
        assert row["limited_by"] in ("memory", "compute")
        assert 0 < row["share_of_limit"] < 1
        speeds = row["decode_tokens_per_s"]
        assert 0 < speeds["least"] <= speeds["median"] <= speeds["most"]
        assert row["step_s"]["least"] == pytest.approx(row["batch"] / speeds["most"])
        assert row["step_s"]["most"] == pytest.approx(row["batch"] / speeds["least"])
        assert row["ttft_s"]["median"] > 0
        assert row["prompt_tokens_per_s"]["median"] > 0


def test_in_chinese(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, batches=[1], language="zh") == 0
    assert "占上限" in capsys.readouterr().out


def test_default_batches_that_do_not_fit_are_left_out(folder: Path, tmp_path: Path) -> None:
    assert run(folder, batches=None, prompt=100, repeats=1, json_file=tmp_path / "speed.json") == 0
    figures = json.loads((tmp_path / "speed.json").read_text())
    assert [row["batch"] for row in figures["batches"]] == [1, 8]  # the cache holds 1,024 tokens


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompt": 250, "tokens": 20}, "need a context of 271; there is one of 256"),
        ({"batches": [65]}, "65 sequences; at most 64 run at once"),
        ({"batches": [30], "prompt": 100}, "30 sequences of 110 tokens; the KV cache holds 1024 tokens"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(
    folder: Path, changes: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, **changes) == 1
    assert said in capsys.readouterr().err


def test_a_missing_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "nowhere") == 1
    assert capsys.readouterr().err.startswith("wending bench: ")
