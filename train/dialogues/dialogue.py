"""What a training dialogue is, and the few helpers all generators share.  It knows no task."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Message = dict[str, str]

HELD_OUT_SHARE = 40
"""One key in this many is held out: it never occurs in the training data."""


@dataclass(frozen=True)
class Dialogue:
    """One conversation that ends with the assistant's answer.

    `key` names the instance: all dialogues with one key fall on the same side of the split.  `expect` is what
    `train.checks` needs to judge the last answer.  `defect` names the flaw planted on purpose, or is empty.
    """

    kind: str
    language: str
    key: str
    messages: list[Message]
    expect: dict[str, Any] = field(default_factory=dict)
    defect: str = ""
    always_held_out: bool = False

    @property
    def held_out(self) -> bool:
        digest = hashlib.sha256(f"{self.kind}:{self.key}".encode()).digest()
        return self.always_held_out or int.from_bytes(digest[:4], "big") % HELD_OUT_SHARE == 0

    @property
    def prompt(self) -> list[Message]:
        return self.messages[:-1]

    @property
    def answer(self) -> str:
        return self.messages[-1]["content"]


PLAIN_SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "You are a helpful AI assistant.",
    "You are a careful and honest assistant.",
    "You are an assistant who answers questions.",
    "你是一个乐于助人的助手。",
    "你是一个有用的人工智能助手。",
)


def pick(rng: random.Random, options: Sequence[T]) -> T:
    return options[rng.randrange(len(options))]


def conversation(rng: random.Random, question: str, answer: str) -> list[Message]:
    """One exchange; three times in four under the template's own system prompt, else under a plain one."""
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    if rng.random() < 0.25:
        messages.insert(0, {"role": "system", "content": pick(rng, PLAIN_SYSTEM_PROMPTS)})
    return messages


def join_request(rng: random.Random, language: str, core: str, constraints: Sequence[str]) -> str:
    """A request: an optional opener, the core sentence, and its constraints in any order."""
    openers = {
        "en": (
            "",
            "",
            "",
            "Please help. ",
            "Hi! ",
            "Hello, ",
            "I need your help. ",
            "Quick task: ",
            "Task: ",
        ),
        "zh": ("", "", "", "请帮个忙。", "你好，", "您好！", "我需要你的帮助。", "任务：", "麻烦你："),
    }[language]
    shuffled = list(constraints)
    rng.shuffle(shuffled)
    separator = " " if language == "en" else ""
    if rng.random() < 0.2:
        separator = "\n"
    return pick(rng, openers) + separator.join([core, *shuffled])
