"""Language, steps and terms of an answer.

The language is judged line by line: by script where the script decides (kana, Arabic letters ...), by
py3langid among plausible candidates where languages share one. Lines with too few letters are left out; if
all are that short, the answer is judged as one line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import py3langid

from wending.assess.bilingual import Bilingual
from wending.assess.checks.number import evaluate
from wending.assess.checks.registry import check
from wending.assess.checks.verdict import CheckResult

# The scripts a language is written in, by the first word of the Unicode character names.
_SCRIPTS = {
    "ar": {"ARABIC"},
    "ja": {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK", "IDEOGRAPHIC"},
    "ko": {"HANGUL"},
    "ru": {"CYRILLIC"},
    "th": {"THAI"},
    "zh": {"CJK", "IDEOGRAPHIC"},
}
_LATIN_CANDIDATES = ("de", "en", "es", "fr", "it", "pt", "vi")
_SHORT = 40
_DOUBT = 8.0
"""A line of fewer letters than _SHORT is of the language demanded unless another one is e^8 times as likely:
"Vaccines train immune systems." looks French."""
_MIN_LETTERS = {"CJK": 4, "LATIN": 16}
_ENCIRCLED = re.compile("[\u2460-\u2473\u24f5-\u24fe\u2776-\u2793]")
_KEYCAP = re.compile("[\ufe0e\ufe0f]?\u20e3")
_EDGE = r"^[^\w\n]{0,12}"
_AFTER = r"\s?(?:[.,:/،\-–—](?!\d)|[、)\]】]|\*\*)"
_STEP_WORDS = (
    r"step|[ée]tape|schritt|paso|passo|passaggio|fase|шаг|bước|ステップ|手順|步骤|步驟|단계|(?:ال)?خطوة"
    "|ขั้นตอนที่|ขั้นตอน|ขั้นที่"
)
_COUNTERS = r"\s?(?:단계|번째|步骤?|步驟|つ目|番目)"
# 1. / 1) / 1 Boil, 1단계 and 第1步; Step 1 with or without a mark behind; any few words before 1: or 1.
_NUMBERED = re.compile(
    rf"{_EDGE}第?\s?(\d{{1,2}})(?:{_COUNTERS}|{_AFTER}|\s|$)"
    rf"|{_EDGE}(?:{_STEP_WORDS})\s?(?:n[°o.]{{1,2}}\s?)?(\d{{1,2}})(?!\d)"
    rf"|{_EDGE}[^\d\n.,:;!?()、]{{1,24}}?(\d{{1,2}}){_AFTER}",
    re.MULTILINE | re.IGNORECASE,
)
_CHINESE_NUMBERED = re.compile(
    rf"{_EDGE}(?:第([一二三四五六七八九十]{{1,2}})(?:步|{_AFTER})|(?:步骤|步驟|手順|ステップ)\s?([一二三四五六七八九十]{{1,2}})"
    rf"|([一二三四五六七八九十]{{1,2}}){_AFTER})",
    re.MULTILINE,
)
_DIGIT = re.compile(r"[^\D0-9]")
# Points, commas and spaces between groups of three, and the Arabic separator.
_GROUPS = re.compile(r"(?<=\d)[., \u00a0\u202f\u066c](?=\d{3}(?!\d))")
_DIGITS = re.compile(r"(?<!\d)\d{1,40}(?:[.,]\d{1,40})?(?!\d)")
_CHINESE_NUMERALS = {
    "一": 1,
    "二": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}


@check("language")
def check_language(answer: str, *, expected: str, share: float = 0.9) -> CheckResult:
    """At least ``share`` of the judged letters stand on lines in the language ``expected`` (ISO 639-1)."""
    right = wrong = 0
    foreign = ""
    lines = [line for line in answer.splitlines() if _long_enough(line)]
    for line in lines or [" ".join(answer.split())]:
        letters = _letters(line)
        if len(letters) < _MIN_LETTERS["CJK"]:
            continue
        if language_matches(line, expected):
            right += len(letters)
        else:
            wrong += len(letters)
            foreign = foreign or line.strip()
    if not right + wrong:
        too_short = Bilingual("no line long enough to judge", "没有足够长的行可供判断")
        return CheckResult("language", False, too_short, problem="wrong_language")
    found = right / (right + wrong)
    reason = Bilingual(
        f"{found:.0%} of {right + wrong} judged letters in {expected!r}, {share:.0%} demanded",
        f"所判定的 {right + wrong} 个字符中 {found:.0%} 为 {expected!r}，要求 {share:.0%}",
    )
    if foreign:
        reason += Bilingual(f"; another language: {foreign[:60]!r}", f"；其他语言：{foreign[:60]!r}")
    return CheckResult(
        "language", found >= share, reason, problem=None if found >= share else "wrong_language"
    )


@check("script")
def check_script(
    answer: str, *, expected: str, share: float = 0.95, allowed: Sequence[str] = ()
) -> CheckResult:
    """At least ``share`` of all letters are of the scripts in which the language ``expected`` is written.

    It counts where a language check looks away: foreign words inside a line. ``allowed``: names that may
    stand in another script.
    """
    text = unicodedata.normalize("NFKC", answer)
    for word in allowed:
        text = text.replace(unicodedata.normalize("NFKC", word), "")
    letters = _letters(text)
    wanted = _SCRIPTS.get(expected, {"LATIN"})
    right = sum(_script(letter) in wanted for letter in letters)
    passed = bool(letters) and right >= share * len(letters)
    found = f"{right} / {len(letters)}"
    reason = Bilingual(
        f"{found} letters in the script of {expected!r}, {share:.0%} demanded",
        f"{found} 个字符属于 {expected!r} 的文字，要求 {share:.0%}",
    )
    return CheckResult("script", passed, reason, problem=None if passed else "wrong_language")


@check("numbered_steps")
def check_numbered_steps(answer: str, *, at_least: int) -> CheckResult:
    """Lines numbered 1, 2, 3 ... in order (1. / ① / 第一步 / 1단계 / Step 1: / Étape 1), at least so many."""
    text = _ENCIRCLED.sub(lambda one: f"{unicodedata.numeric(one[0]):.0f}. ", _KEYCAP.sub(". ", answer))
    text = unicodedata.normalize("NFKC", text)
    positions = [(match.start(), int(_only(match))) for match in _NUMBERED.finditer(text)]
    positions += [
        (match.start(), _chinese_ordinal(_only(match))) for match in _CHINESE_NUMBERED.finditer(text)
    ]
    steps = 0
    for _, number in sorted(positions):
        if number == steps + 1:
            steps = number
    reason = Bilingual(
        f"{steps} numbered steps, at least {at_least} demanded",
        f"有 {steps} 个编号步骤，至少要求 {at_least} 个",
    )
    return CheckResult(
        "numbered_steps", steps >= at_least, reason, problem=None if steps >= at_least else "missing_steps"
    )


@check("terms")
def check_terms(
    answer: str, *, required: Sequence[Sequence[str]], problem: str = "missing_terms"
) -> CheckResult:
    """Each entry of ``required`` lists alternatives, one of which must occur. A term may stand inside a word,
    but its digits not inside another number: 90 does not occur in 190, nor in 90,5."""
    text = fold(answer)
    missing = [
        alternatives for alternatives in required if not any(_occurs(term, text) for term in alternatives)
    ]
    if not missing:
        count = len(required)
        all_occur = Bilingual(f"all {count} required terms occur", f"{count} 个必需用语全部出现")
        return CheckResult("terms", True, all_occur)
    first = " / ".join(missing[0])
    reason = Bilingual(
        f"{len(missing)} of {len(required)} required terms missing, first: {first}",
        f"{len(required)} 个必需用语缺少 {len(missing)} 个，首个：{first}",
    )
    return CheckResult("terms", False, reason, problem=problem)


@check("numbers")
def check_numbers(answer: str, *, required: Sequence[str]) -> CheckResult:
    """Each of ``required``, given as arithmetic, stands in the answer in digits of any script."""
    text = _GROUPS.sub("", fold(answer))
    found = {Fraction(number.replace(",", ".")) for number in _DIGITS.findall(text)}
    missing = [expression for expression in required if evaluate(expression) not in found]
    if not missing:
        all_occur = Bilingual(f"all {len(required)} numbers occur", f"{len(required)} 个数字全部出现")
        return CheckResult("numbers", True, all_occur)
    first = f"{missing[0]} = {evaluate(missing[0])}"
    reason = Bilingual(
        f"{len(missing)} of {len(required)} numbers missing, first: {first}",
        f"{len(required)} 个数字缺少 {len(missing)} 个，首个：{first}",
    )
    return CheckResult("numbers", False, reason, problem="wrong_answer")


def language_matches(line: str, expected: str) -> bool:
    """Is this line written in the language ``expected``?"""
    line = unicodedata.normalize("NFKC", line)
    scripts = [_script(letter) for letter in _letters(line)]
    if not scripts:
        return False
    wanted = _SCRIPTS.get(expected, {"LATIN"})
    if sum(script in wanted for script in scripts) < 0.6 * len(scripts):
        return False
    kana = sum(script in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") for script in scripts)
    if expected == "ja":
        return kana >= 0.15 * len(scripts)
    if expected == "zh":
        return kana < 0.05 * len(scripts)
    if wanted != {"LATIN"}:
        return True
    candidates = {expected, *_LATIN_CANDIDATES}
    likelihood = {language: score for language, score in py3langid.rank(line) if language in candidates}
    behind: float = max(likelihood.values()) - likelihood[expected]
    return behind <= (_DOUBT if len(scripts) < _SHORT else 0)


def fold(text: str) -> str:
    """Text for lenient comparison: NFKC, case-folded, digits 0-9, no Arabic vowel marks and tatweel."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    return re.sub("[\u064b-\u0652\u0640]", "", text)


def _occurs(term: str, text: str) -> bool:
    term = fold(term)
    before = r"(?<!\d)(?<!\d[.,])" if term[:1].isdigit() else ""
    after = r"(?![.,]?\d)" if term[-1:].isdigit() else ""
    return re.search(before + re.escape(term) + after, text) is not None


def _only(match: re.Match[str]) -> str:
    """The one group that matched."""
    return next(group for group in match.groups() if group is not None)


def _letters(line: str) -> list[str]:
    return [character for character in line if character.isalpha()]


def _long_enough(line: str) -> bool:
    letters = _letters(line)
    latin = sum(_script(letter) == "LATIN" for letter in letters)
    return len(letters) >= _MIN_LETTERS["LATIN" if latin * 2 > len(letters) else "CJK"]


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split(" ")[0]


def _chinese_ordinal(text: str) -> int:
    digits = [_CHINESE_NUMERALS[character] for character in text]
    return digits[0] if len(digits) == 1 else sum(digits) if digits[0] == 10 else 0
