"""Roles: markers an answer must carry, what it must not say, how long it may be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from wending.assess.bilingual import Bilingual
from wending.assess.checks.registry import check
from wending.assess.checks.verdict import CheckResult

_DASHES = re.compile(r"\s*[‐-―−-]+\s*")
_EMPHASIS = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)")
_EDGES = "\"'“”‘’ \n\t"
_CLOSERS = "\"'”’)》」』"
_MARKS = re.compile(rf"(?P<mark>[.!?。]+)[{_CLOSERS}]*")
# Dr. Paw, J. Smith, 9 p.m., the U.S., e.g. and i.e.
_ABBREVIATED = re.compile(
    r"\b(?:[a-z]|dr|mr|mrs|ms|prof|st|vs|etc|approx|ca|cf|jr|sr|capt|lt|sgt|mt|inc|ltd)\Z", re.IGNORECASE
)
_BEFORE_NUMBER = re.compile(r"\b(?:no|nr|fig|vol|pp?)\Z", re.IGNORECASE)
_LIST_MARK = re.compile(r"\A(?:\d{1,2}[.)、]|[-+•])\s*(?=\S)")
_GOES_ON = (",", ":", ";", "、")


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


@check("matches")
def check_matches(answer: str, *, patterns: Sequence[str], problem: str = "missing_terms") -> CheckResult:
    """Each of these regular expressions is found (case ignored, characters in their NFKC form)."""
    text = unicodedata.normalize("NFKC", answer)
    missing = [pattern for pattern in patterns if not re.search(pattern, text, re.IGNORECASE)]
    if missing:
        not_found = Bilingual(f"nothing of the form {missing[0]!r}", f"没有符合 {missing[0]!r} 的内容")
        return CheckResult("matches", False, not_found, problem=problem)
    count = len(patterns)
    return CheckResult("matches", True, Bilingual(f"all {count} forms found", f"{count} 种内容全部出现"))


@check("sentences")
def check_sentences(answer: str, *, at_most: int, without: str = "") -> CheckResult:
    """The answer has at most so many sentences; the marker ``without`` at its beginning or end is not
    counted."""
    text, marker = plain_lines(answer), plain(without)
    count = count_sentences(text.removeprefix(marker).removesuffix(marker))
    reason = Bilingual(f"{count} sentences, at most {at_most} allowed", f"{count} 句，最多允许 {at_most} 句")
    within = 0 < count <= at_most
    return CheckResult("sentences", within, reason, problem=None if within else "constraint_broken")


def count_sentences(text: str) -> int:
    """Sentences by their end marks; a line break ends one too, unless the line ends with a comma or a colon.

    Where a mark may belong to a number, an abbreviation, an address or reported speech, it ends nothing: the
    count is rather one too low than one too high, since it is held against a limit.
    """
    lines = [_LIST_MARK.sub("", line.strip(), count=1) for line in text.splitlines() if line.strip()]
    joined = "\n".join(lines)
    for mark in _GOES_ON:
        joined = joined.replace(f"{mark}\n", f"{mark} ")
    pieces = [piece for line in joined.split("\n") for piece in _split(line)]
    return sum(any(character.isalnum() for character in piece) for piece in pieces)


def _split(line: str) -> list[str]:
    pieces, start = [], 0
    for match in _MARKS.finditer(line):
        if _ends_sentence(line, match):
            pieces.append(line[start : match.end()])
            start = match.end()
    return [*pieces, line[start:]]


def _ends_sentence(line: str, match: re.Match[str]) -> bool:
    mark, before, after = match["mark"], line[: match.start()], line[match.end() :]
    following = after.lstrip()[:1]
    if not following:
        return True
    if following in ",;:)、" or (following.islower() and len(match[0]) > 1):
        return False  # "Stop!" he said; well ... perhaps
    if mark == ".":
        if following.isdigit() and _BEFORE_NUMBER.search(before):
            return False
        return not _ABBREVIATED.search(before) and (after[0] in " -" or not after[0].isascii())
    return mark[-1] != "." or after[0] in " -"


def plain_lines(text: str) -> str:
    """``plain`` line by line, so that line breaks still end sentences."""
    return "\n".join(plain(line) for line in text.strip().splitlines())


def plain(text: str) -> str:
    """Text for comparing markers: NFKC, one kind of dash without spaces around it, single spaces, no
    emphasis, no quotes at the edges."""
    text = _EMPHASIS.sub("", unicodedata.normalize("NFKC", text))
    return _DASHES.sub("-", " ".join(text.split()).strip(_EDGES))
