"""The bundled demonstration model from start to report: small, but whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wending import demo
from wending.assess.main import run_assessment

pytestmark = pytest.mark.skipif(
    not (demo.folder() / "model.safetensors").is_file(), reason="the demonstration model has not been trained"
)


def test_assessing_the_bundled_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    scenarios = ["json_output", "math_reasoning"]
    assert (
        run_assessment(None, out=out, repeats=1, scenarios=scenarios, performance_seconds=8, language="en")
        == 0
    )
    captured = capsys.readouterr()
    assert "not Qwen2.5-7B" in captured.err
    assert str(out / "report.html") in captured.out
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["complete"]
    assert report["target"]["model"] == demo.NAME
    assert report["target"]["demonstration"]
    # Trained for these tasks: it must get some of them right, and its server must have been measured.
    assert report["pass_rate"]["k"] > 0
    assert report["resources"]["peak_memory_bytes"] > 0
    assert all(result["levels"] or result["invalid_levels"] for result in report["performance"])
    assert "Demonstration model" in (out / "report.html").read_text("utf-8")
