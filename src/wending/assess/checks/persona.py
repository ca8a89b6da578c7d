"""Roles: markers an answer must carry, what it must not say, how long it may be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

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
    reason = f"begins with {answer.strip()[: len(text)]!r}, {text!r} demanded"
    return CheckResult("starts_with", right, reason, problem=None if right else "role_forgotten")


@check("ends_with")
def check_ends_with(answer: str, *, text: str) -> CheckResult:
    """The answer ends with the role's marker."""
    right = plain(answer).endswith(plain(text))
    reason = f"ends with {answer.strip()[-len(text) :]!r}, {text!r} demanded"
    return CheckResult("ends_with", right, reason, problem=None if right else "role_forgotten")


@check("forbidden")
def check_forbidden(answer: str, *, patterns: Sequence[str]) -> CheckResult:
    """None of these regular expressions is found (case ignored, characters in their NFKC form)."""
    text = unicodedata.normalize("NFKC", answer)
    for pattern in patterns:
        if match := re.search(pattern, text, re.IGNORECASE):
            return CheckResult("forbidden", False, f"says {match[0]!r}", problem="forbidden_content")
    return CheckResult("forbidden", True, f"none of {len(patterns)} forbidden patterns")


@check("sentences")
def check_sentences(answer: str, *, at_most: int, without: str = "") -> CheckResult:
    """The answer has at most so many sentences; the marker ``without`` at its end is not counted."""
    text = plain_lines(answer)
    count = count_sentences(text.removesuffix(plain(without)))
    reason = f"{count} sentences, at most {at_most} allowed"
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
