"""The example in docs/assessment.md works as printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

from wending.assess.checks import run_passes
from wending.assess.scenarios import judge
from wending.assess.scenarios.own import load_checks, load_own_scenario

PAGE = (Path(__file__).parents[3] / "docs" / "assessment.md").read_text(encoding="utf-8")


def test_adding_a_scenario_as_documented(tmp_path: Path) -> None:
    [data] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    module = tmp_path / "mentions.py"
    module.write_text(code, encoding="utf-8")
    load_checks(module)
    file = tmp_path / "sums.json"
    file.write_text(json.dumps(json.loads(data)), encoding="utf-8")
    [item] = load_own_scenario(file).items
    assert run_passes(judge(item, ["It is 4. Have some tea."]))
    assert [result.reason for result in judge(item, ["It is 5."])] == [
        "found 5, expected 4",
        "'tea' occurs 0 times",
    ]


def test_documented_limits_and_counts_are_those_of_the_code() -> None:
    from wending.assess.sandbox import Limits
    from wending.assess.scenarios import load_scenarios

    limits = Limits()
    assert f"more than {limits.cpu_seconds} s of processor time, {limits.wall_seconds:g} s in all" in PAGE
    assert f"{limits.memory_bytes >> 20} MiB of memory, {limits.output_bytes >> 10} KiB of output" in PAGE
    assert f"{limits.file_bytes >> 20} MiB of files, {limits.open_files} open files" in PAGE
    for scenario in load_scenarios():
        assert f"| `{scenario.id}` | {len(scenario.items)} |" in PAGE
