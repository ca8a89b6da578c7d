"""A sentence that is written in English and in Chinese where it arises, and travels as one value."""

from __future__ import annotations

from typing import Literal


class Bilingual(str):
    """The English text, with the Chinese one as `zh`. What was quoted from elsewhere stays as it was."""

    __slots__ = ("zh",)

    zh: str

    def __new__(cls, en: str, zh: str) -> Bilingual:
        words = super().__new__(cls, en)
        words.zh = zh
        return words

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """So that copies and pickles keep both."""
        return str(self), self.zh

    def __add__(self, other: str) -> Bilingual:
        return Bilingual(f"{self}{other}", self.zh + chinese(other))


def chinese(words: str) -> str:
    """The Chinese text; text of one language only, such as a library's message, as it is."""
    return words.zh if isinstance(words, Bilingual) else words


def in_language(words: str, language: Literal["en", "zh"]) -> str:
    return chinese(words) if language == "zh" else str(words)
