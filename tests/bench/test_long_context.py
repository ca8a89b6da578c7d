"""The script for a long prompt, on a small model and a short prompt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.long_context import Step, chunks_that_differ, continued, main, stretch
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.model.model import Model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model", small_config())


def run(folder: Path, json_file: Path) -> int:
    sizes = ["--max-context", "6000", "--prompt", "700", "--prefix", "300", "--tokens", "5"]
    return main(
        [str(folder), *sizes, "--marks", "200", "900", "--chunks", "128", "7", "--json", str(json_file)]
    )


def test_figures_and_exit_status(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.long_context.peak_resident_bytes", lambda: 1 << 20)
    assert run(folder, tmp_path / "long.json") == 0
    shown = capsys.readouterr().out
    assert "positions  YaRN x4, to 16,384" in shown
    assert "| 700 |" in shown
    figures = json.loads((tmp_path / "long.json").read_text())
    assert [at["context"] for at in figures["reached"]] == [200, 700]  # a mark behind the prompt is left out
    assert all(at["prefill_tokens_per_s"] > 0 < at["decode_tokens_per_s"] for at in figures["reached"])
    assert figures["chunks_that_differ"] == []
    monkeypatch.setattr("bench.long_context.peak_resident_bytes", lambda: 1 << 40)
    assert run(folder, tmp_path / "long.json") == 1


def test_logits_along_the_prefix_and_behind_it_are_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, prefix = Model.load(folder), list(range(270)) * 2
    logits, tokens = continued(model, "bfloat16", prefix, 100)
    assert logits.shape == (2 + 1 + 16, 320)
    assert len(tokens) == 16

    def other_in_chunks_of_7(*arguments: Any) -> tuple[Any, Sequence[int]]:
        changed = logits.copy()
        changed[0, 0] = np.nextafter(changed[0, 0], np.float32(np.inf))
        return (changed if arguments[-1] == 7 else logits), tokens

    monkeypatch.setattr("bench.long_context.continued", other_in_chunks_of_7)
    assert chunks_that_differ(model, "bfloat16", prefix, [100, 7]) == [7]


def test_a_stretch_counts_what_was_computed_behind_the_mark_before() -> None:
    """With a prefix cache a request begins near the mark, without one at position 0."""
    behind = [Step(512, 416, 1.0), Step(700, 188, 0.5)]
    assert stretch(behind, 96) == (604, 1.5)
    assert stretch([Step(96, 96, 0.25), *behind], 96) == (604, 1.5)


def test_a_prompt_that_does_not_fit_is_refused_with_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["anywhere", "--prompt", "6000", "--max-context", "6000"])
    assert "a prompt of 6000 and 64 tokens, at least 2, must fit into a context of 6000" in (
        capsys.readouterr().err
    )
