"""One long text with a fact in it, the question for that fact, and whether an answer gives it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from random import Random

from wending.assess.context.filler import sentences

PARAGRAPH = 6
"""Sentences."""

_OWNERS = {
    "en": ("Mara Lindqvist", "Tobias Okafor", "Ines Carvalho", "Henrik Solberg", "Priya Raman",
           "Colin Ashdown"),
    "zh": ("沈若溪", "欧阳景行", "陆明远", "顾清欢", "司徒雅", "钟书晴"),
}  # fmt: skip
_LOCKS = {
    "en": ("locker", "bicycle lock", "garden shed", "suitcase", "letter box", "wine cellar"),
    "zh": ("储物柜", "自行车锁", "工具房", "行李箱", "信箱", "地下室"),
}
_FACT = {
    "en": "The code for {owner}'s {lock} is {code}.",
    "zh": "{owner}的{lock}密码是 {code}。",
}
_INTRODUCTION = {
    "en": "Read these notes, then answer the question below them.",
    "zh": "请阅读下面的记录，然后回答末尾的问题。",
}
_QUESTION = {
    "en": "Question: What is the code for {owner}'s {lock}? Reply with the number only.",
    "zh": "问题：{owner}的{lock}密码是多少？只回答数字。",
}
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[,\s](?=\d{3}(?!\d))")


@dataclass(frozen=True, slots=True)
class ContextTask:
    prompt: str
    code: str
    share_behind: float
    """How much of the prompt's text stands behind the fact, 0 to 1."""

    def recalled(self, answer: str) -> bool:
        """Exactly: the code is the only number of five or more digits in the answer."""
        plain = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", answer))
        return set(re.findall(r"\d{5,}", plain)) == {self.code}


def make_task(language: str, characters: int, depth: float, seed: int) -> ContextTask:
    """A prompt of about ``characters`` (up to one sentence and one per cent more), with ``depth`` (0 to 1) of
    its text before the fact. The same arguments make the same task."""
    random = Random(seed)
    code = str(random.randrange(10_000, 100_000))
    names = {"owner": random.choice(_OWNERS[language]), "lock": random.choice(_LOCKS[language]), "code": code}
    fact, question = _FACT[language].format(**names), _QUESTION[language].format(**names)
    room = characters - len(_INTRODUCTION[language]) - len(fact) - len(question)
    told: list[str] = []
    length = 0
    space = 1 if language == "en" else 0
    for sentence in sentences(language, random.randrange(1 << 30)):
        if length >= room:
            break
        told.append(sentence)
        length += len(sentence) + space
    before = 0
    position = 0
    while position < len(told) and before < depth * length:
        before += len(told[position]) + space
        position += 1
    told.insert(position, fact)
    separator = " " * space
    paragraphs = [separator.join(told[at : at + PARAGRAPH]) for at in range(0, len(told), PARAGRAPH)]
    prompt = "\n\n".join([_INTRODUCTION[language], "\n".join(paragraphs), question])
    behind = len(prompt) - prompt.index(fact) - len(fact)
    return ContextTask(prompt, code, behind / len(prompt))
