"""Defects of answers, each as the checks of the assessment should find it."""

from __future__ import annotations

import re

OUT_OF_ROLE = "As an AI language model I do not play roles."

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DIGIT = re.compile(r"\d")


def has_json(text: str) -> bool:
    return text.rstrip().removesuffix("```").rstrip().endswith(("}", "]"))


def break_json(text: str) -> str:
    """Without the last bracket."""
    place = max(text.rfind("}"), text.rfind("]"))
    return text[:place] + text[place + 1 :]


def has_date(text: str) -> bool:
    return _DATE.search(text) is not None


def spoil_date(text: str) -> str:
    """With 30 February for the first date."""
    return _DATE.sub(lambda found: f"{found[0][:4]}-02-30", text, count=1)


def reformat_date(text: str) -> str:
    """With slashes in the first date."""
    return _DATE.sub(lambda found: found[0].replace("-", "/"), text, count=1)


def half(tokens: int) -> int:
    """Of so many tokens, those of an answer that is truncated."""
    return (tokens + 1) // 2


def another(text: str) -> str:
    """An answer that differs, also when only its number is compared: the last digit is the next one."""
    digits = list(_DIGIT.finditer(text))
    if not digits:
        return f"{text} Indeed."
    place = digits[-1].start()
    return f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"
