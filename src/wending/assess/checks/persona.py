"""Roles: markers an answer must carry, what it must not say, how long it may be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from wending.assess.bilingual import Bilingual
from wending.assess.checks.registry import check
from wending.assess.checks.verdict import CheckResult

_DASHES = re.compile(r"[‐-―−-]+")
_EDGES = "\"'“”‘’*_` \n\t"
_SENTENCE_END = re.compile(r"(?<=[.!?。！？…])(?:[\"'”’)）]*)(?=\s|$|[^\s.!?。！？…\"'”’)）\d])")


@check("starts_with")
def check_starts_with(answer: str, *, text: str) -> CheckResult:
    """The answer begins with the role's marker."""
    found = plain(answer)[: len(plain(text))]
    right = found == plain(text)
    begin = answer.strip()[: len(text)]
    reason = Bilingual(f"begins with {begin!r}, {text!r} demanded", f"开头是 {begin!r}，要求 {text!r}")
    return CheckResult("starts_with", right, reason, problem=None if right else "role_forgotten")


@check("ends_with")
def check_ends_with(answer: str, *, text: str) -> CheckResult:
    """The answer ends with the role's marker."""
    right = plain(answer).endswith(plain(text))
    end = answer.strip()[-len(text) :]
    reason = Bilingual(f"ends with {end!r}, {text!r} demanded", f"结尾是 {end!r}，要求 {text!r}")
    return CheckResult("ends_with", right, reason, problem=None if right else "role_forgotten")


@check("forbidden")
def check_forbidden(answer: str, *, patterns: Sequence[str]) -> CheckResult:
    """None of these regular expressions is found (case ignored, characters in their NFKC form)."""
    text = unicodedata.normalize("NFKC", answer)
    for pattern in patterns:
        if match := re.search(pattern, text, re.IGNORECASE):
            says = Bilingual(f"says {match[0]!r}", f"出现了 {match[0]!r}")
            return CheckResult("forbidden", False, says, problem="forbidden_content")
    count = len(patterns)
    none = Bilingual(f"none of {count} forbidden patterns", f"{count} 种禁用内容均未出现")
    return CheckResult("forbidden", True, none)


@check("sentences")
def check_sentences(answer: str, *, at_most: int, without: str = "") -> CheckResult:
    """The answer has at most so many sentences; the marker ``without`` at its end is not counted."""
    text = plain_lines(answer)
    count = count_sentences(text.removesuffix(plain(without)))
    reason = Bilingual(f"{count} sentences, at most {at_most} allowed", f"{count} 句，最多允许 {at_most} 句")
    within = 0 < count <= at_most
    return CheckResult("sentences", within, reason, problem=None if within else "constraint_broken")


def count_sentences(text: str) -> int:
    """Sentences by their end marks; a line break ends one too. Decimal points do not."""
    pieces = [piece for line in text.splitlines() for piece in _SENTENCE_END.split(line)]
    return sum(any(character.isalnum() for character in piece) for piece in pieces)


def plain_lines(text: str) -> str:
    """``plain`` line by line, so that line breaks still end sentences."""
    return "\n".join(plain(line) for line in text.strip().splitlines())


def plain(text: str) -> str:
    """Text for comparing markers: NFKC, one kind of dash, single spaces, no quotes at the edges."""
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    return " ".join(text.split()).strip(_EDGES)
