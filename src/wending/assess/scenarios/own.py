"""A user's own scenarios and checks, from files outside the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from wending.assess.bilingual import Bilingual
from wending.assess.checks import run_check
from wending.assess.scenarios.item import Scenario
from wending.assess.scenarios.load import load_scenario


def load_checks(file: Path) -> None:
    """Runs a Python file, whose decorated functions register themselves. Raises ValueError that says why it
    could not be run."""
    spec = importlib.util.spec_from_file_location(f"own_checks_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ValueError(
            Bilingual(f"{file}: a module of checks ends with .py", f"{file}：检查模块应为 .py 文件")
        )
    try:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise ValueError(Bilingual(f"{file} cannot be run: {why}", f"{file} 无法执行：{why}")) from error


def load_own_scenario(file: Path) -> Scenario:
    """Reads a scenario file and tries its checks on empty answers, so that a value that a check cannot work
    with is found before an endpoint is asked. Raises ValueError."""
    try:
        scenario = load_scenario(file)
    except OSError as error:
        why = error.strerror or str(error)
        raise ValueError(Bilingual(f"cannot read {file}: {why}", f"无法读取 {file}：{why}")) from None
    for item in scenario.items:
        try:
            for spec in item.checks:
                run_check(spec.name, "", spec.expectation)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise ValueError(
                Bilingual(
                    f"{file.name}: item {item.id!r}: its checks cannot be applied: {why}",
                    f"{file.name}：题目 {item.id!r}：其检查无法执行：{why}",
                )
            ) from error
    return scenario
