from __future__ import annotations

import csv
import io
from typing import Any

from wending.assess.report.runs_csv import render_csv


def run(**fields: Any) -> dict[str, Any]:
    common = {"item": "i", "repeat": 1, "seed": 5, "pass": True, "checks": [], "finish_reason": "stop"}
    return common | {"tokens": 3, "ttft_s": 0.5, "tokens_per_s": None, "error": None, "text": "x"} | fields


def test_a_line_for_each_run() -> None:
    runs = [run(**{"pass": False}), run(repeat=2, error='=1+1, "x"\nline', ttft_s=None)]
    report = {
        "scenarios": [{"id": "s", "items": [{"id": "i", "language": "zh"}], "runs": runs}],
        "stability_problems": [
            {"type": "broken_json", "scenario": "s", "evidence": [{"item": "i", "repeat": 1}]},
            {"type": "extra_text", "scenario": "s", "evidence": [{"item": "i", "repeat": 1}]},
            {"type": "cut_off", "scenario": "s", "evidence": [{"item": "i", "repeat": 2}]},
            {"type": "truncated", "scenario": "other", "evidence": [{"item": "i", "repeat": 2}]},
        ],
    }
    first, second = csv.DictReader(io.StringIO(render_csv(report)))
    assert (first["scenario"], first["item"], first["language"], first["pass"]) == ("s", "i", "zh", "False")
    assert (first["problems"], second["problems"]) == ("broken_json extra_text", "cut_off")
    assert (first["ttft_s"], first["tokens_per_s"]) == ("0.5", "")
    assert second["error"] == '\'=1+1, "x"\nline'
    assert "text" not in first
