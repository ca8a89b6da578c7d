"""Code answers: nothing but code, and code that parses."""

from __future__ import annotations

from wending.assess.checks.extract import (
    fenced_blocks,
    has_statements,
    parse_python,
    prose_beside_code,
    python_code,
)
from wending.assess.checks.registry import check
from wending.assess.checks.verdict import CheckResult


@check("code_only")
def check_code_only(answer: str) -> CheckResult:
    """Bare code, or one fenced block with nothing outside it."""
    blocks = len(fenced_blocks(answer))
    prose = prose_beside_code(answer)
    if blocks > 1:
        reason = f"{blocks} fenced blocks, one allowed"
    elif prose:
        reason = f"{len(prose)} characters beside the code: {prose[:60]!r}"
    elif not answer.strip():
        reason = "the answer is empty"
    else:
        return CheckResult("code_only", True, "nothing but code")
    return CheckResult("code_only", False, reason, problem="extra_text")


@check("parses")
def check_parses(answer: str) -> CheckResult:
    """The code is Python that parses and defines something."""
    tree = parse_python(python_code(answer))
    if isinstance(tree, str):
        unclosed = any(not block.closed for block in fenced_blocks(answer))
        reason = tree + ("; the fenced block is not closed" if unclosed else "")
        return CheckResult("parses", False, reason, problem="code_does_not_parse")
    if not has_statements(tree):
        return CheckResult("parses", False, "no code found", problem="code_does_not_parse")
    return CheckResult("parses", True, f"{len(tree.body)} statements at the top level")
