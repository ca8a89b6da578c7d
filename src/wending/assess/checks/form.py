"""The form of an answer: how many words and lines it has, and what its lines look like."""

from __future__ import annotations

import re
import unicodedata

from wending.assess.bilingual import Bilingual
from wending.assess.checks.registry import check
from wending.assess.checks.verdict import CheckResult

_IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# A character of Chinese or Japanese, or other letters and digits with what joins them: don't, 3.5.
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+(?:['’-][^\W_{_IDEOGRAPHS}]+|(?<=\d)[.,]\d+)*")


@check("words")
def check_words(answer: str, *, at_most: int) -> CheckResult:
    """The answer has at least one word and at most so many; each Chinese character counts as one."""
    count = len(_WORD.findall(unicodedata.normalize("NFKC", answer)))
    reason = Bilingual(f"{count} words, at most {at_most} allowed", f"{count} 个词，最多允许 {at_most} 个")
    return _verdict("words", 0 < count <= at_most, reason)


@check("lines")
def check_lines(answer: str, *, exactly: int) -> CheckResult:
    """The answer has exactly so many lines; empty ones are not counted."""
    count = len(_lines(answer))
    reason = Bilingual(f"{count} lines, {exactly} demanded", f"{count} 行，要求 {exactly} 行")
    return _verdict("lines", count == exactly, reason)


@check("line_form")
def check_line_form(answer: str, *, pattern: str) -> CheckResult:
    """Every line, from its first character to its last, is of the form of this regular expression."""
    lines = _lines(answer)
    other = next((line for line in lines if not re.fullmatch(pattern, line)), None)
    if other is not None:
        short = other[:60]
        return _verdict("line_form", False, Bilingual(f"not of the form: {short!r}", f"形式不符：{short!r}"))
    count = len(lines)
    reason = Bilingual(f"{count} lines of the form demanded", f"{count} 行符合要求的形式")
    return _verdict("line_form", count > 0, reason)


def _lines(answer: str) -> list[str]:
    return [line.strip() for line in answer.splitlines() if line.strip()]


def _verdict(name: str, passed: bool, reason: Bilingual) -> CheckResult:
    return CheckResult(name, passed, reason, problem=None if passed else "constraint_broken")
