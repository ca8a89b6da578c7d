"""Checks: small decorated functions whose verdict carries its reason. Importing this registers them all."""

from __future__ import annotations

from wending.assess.checks import (  # noqa: F401
    code,
    endpoint,
    field_rule,
    form,
    json_answer,
    language,
    number,
    persona,
    unit_tests,
    written_tests,
)
from wending.assess.checks.registry import check, run_check, run_check_safely, validate
from wending.assess.checks.verdict import CheckResult, run_passes

__all__ = ["CheckResult", "check", "run_check", "run_check_safely", "run_passes", "validate"]
