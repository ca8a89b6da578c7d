"""What a conversation tells the model of the answer before: what the item's own checks have against it."""

from __future__ import annotations

from collections.abc import Sequence

from wending.assess.bilingual import chinese
from wending.assess.checks import run_check_safely
from wending.assess.scenarios.check_spec import CheckSpec

PLACE = "{verdict}"
"""Where the message stands in the text of a user turn."""


def verdict_message(checks: Sequence[CheckSpec], answer: str, language: str) -> str | None:
    """The reasons of the failed checks, in Chinese for ``language`` zh, else in English; None if none failed.

    Failures that only follow from another one are left out.
    """
    reasons = [
        result.reason
        for spec in checks
        for result in run_check_safely(spec.name, answer, spec.expectation)
        if result.problem is not None and not result.informative
    ]
    if not reasons:
        return None
    return "；".join(map(chinese, reasons)) if language == "zh" else "; ".join(map(str, reasons))
