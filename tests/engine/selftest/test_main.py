from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine.selftest.main import run_selftest
from wending.model.batch import ForwardBatch
from wending.model.model import Model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoint") / "some-model", small_config())


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "32 of 32 requests equal under every condition"),
        ("zh", "32 / 32 个请求在全部条件下一致"),
    ],
)
def test_says_that_all_are_equal(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, expected: str
) -> None:
    status = run_selftest(folder, requests=32, language=language, json_file=tmp_path / "result.json")
    output = capsys.readouterr().out
    assert status == 0
    assert expected in output
    assert "some-model" in output
    result = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert [verdict["differences"] for verdict in result["verdicts"]] == [[]] * 10
    assert all(verdict["equal"] == verdict["requests"] for verdict in result["verdicts"])
    assert all(verdict["happened"] for verdict in result["verdicts"])


def test_reports_the_first_divergence_and_how_to_see_it_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Model.forward

    def faulty(self: Model, batch: ForwardBatch, cache: Any) -> NDArray[np.float32]:
        logits = forward(self, batch, cache)
        if len(batch.block_tables) > 1:
            logits[:, 3] += np.float32(0.01)
        return logits

    monkeypatch.setattr(Model, "forward", faulty)
    assert run_selftest(folder, requests=16, seed=7) == 1
    output, errors = capsys.readouterr()
    assert "requests differ." in output, errors
    assert "logits at token" in output
    assert f"wending selftest {folder} --quant auto --kv-cache auto --requests 16 --seed 7 --only " in output


def test_what_did_not_happen_is_not_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_selftest(folder, requests=1) == 0
    output = capsys.readouterr().out
    assert "1 of 1 requests equal" in output
    assert "Not shown: everything at once, in a crowd" in output


def test_one_request_is_compared_among_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_selftest(folder, requests=20, only=18) == 0
    output = capsys.readouterr().out
    assert "1 of 1 requests equal under every condition" in output
    assert "Not shown" not in output


def test_a_missing_checkpoint_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_selftest(tmp_path / "nothing") == 1
    assert capsys.readouterr().err.startswith("wending selftest: ")
