"""Code answers: nothing but code, and code that parses."""

from __future__ import annotations

from wending.assess.bilingual import Bilingual
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
        reason = Bilingual(f"{blocks} fenced blocks, one allowed", f"有 {blocks} 个代码块，只允许一个")
    elif prose:
        reason = Bilingual(
            f"{len(prose)} characters beside the code: {prose[:60]!r}",
            f"代码之外有 {len(prose)} 个字符：{prose[:60]!r}",
        )
    elif not answer.strip():
        reason = Bilingual("the answer is empty", "回答为空")
    else:
        return CheckResult("code_only", True, Bilingual("nothing but code", "只有代码"))
    return CheckResult("code_only", False, reason, problem="extra_text")


@check("parses")
def check_parses(answer: str) -> CheckResult:
    """The code is Python that parses and defines something."""
    tree = parse_python(python_code(answer))
    if isinstance(tree, str):
        unclosed = any(not block.closed for block in fenced_blocks(answer))
        reason = Bilingual(tree, tree)
        if unclosed:
            reason += Bilingual("; the fenced block is not closed", "；代码块没有闭合")
        return CheckResult("parses", False, reason, problem="code_does_not_parse")
    if not has_statements(tree):
        none = Bilingual("no code found", "没有找到代码")
        return CheckResult("parses", False, none, problem="code_does_not_parse")
    count = len(tree.body)
    return CheckResult(
        "parses", True, Bilingual(f"{count} statements at the top level", f"顶层有 {count} 条语句")
    )
