"""Copying from the request: what every other kind needs, and what a small model learns late by itself.

The answers hold nothing but what stands in the request, in an order that the request gives, and the words are
random: nothing can be had by knowing what is usual.  They are meant to make attention find and repeat
(Olsson et al. 2022, https://arxiv.org/abs/2209.11895).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence

from train.dialogues import code_completion, json_output, math_reasoning, multilingual, role_play, small_talk
from train.dialogues.dialogue import Dialogue, conversation, pick
from train.dialogues.words import ENGLISH_NAMES, SURNAMES

_SYLLABLES = (
    "ba",
    "co",
    "di",
    "fu",
    "ga",
    "he",
    "jo",
    "ka",
    "li",
    "mo",
    "ne",
    "po",
    "ra",
    "si",
    "tu",
    "ve",
    "wi",
    "zo",
)
_HANZI = (
    "天地山水火木金石田土日月星云风雨雷电花草树叶果米豆茶酒鱼鸟马牛羊门窗桌椅"
    "灯书笔纸衣帽鞋车船桥路城镇村河海湖岛东西南北前后左右上下大小多少高低长短"
)


def word(rng: random.Random) -> str:
    """A random word: a name, syllables, a number or Chinese characters."""
    sort = rng.randrange(5)
    if sort == 0:
        return pick(rng, ENGLISH_NAMES) + (" " + pick(rng, SURNAMES) if rng.random() < 0.3 else "")
    if sort == 1:
        return "".join(pick(rng, _SYLLABLES) for _ in range(rng.randint(1, 3)))
    if sort == 2:
        return str(rng.randrange(10 ** rng.randint(1, 4)))
    return "".join(pick(rng, _HANZI) for _ in range(rng.randint(1, 3)))


def words(rng: random.Random, least: int, most: int) -> list[str]:
    """Different random words."""
    found: dict[str, None] = {}
    wanted = rng.randint(least, most)
    while len(found) < wanted:
        found[word(rng)] = None
    return list(found)


_PIECES = re.compile(r"[^\W\d_\u4e00-\u9fff]+|[\u4e00-\u9fff]{1,3}|\d+|[^\w\s]+")
_SOURCES = (
    json_output.make,
    math_reasoning.make,
    code_completion.make,
    multilingual.make,
    role_play.make,
    small_talk.make,
)


def scramble(rng: random.Random) -> tuple[str, str]:
    """Words of some other dialogue in a random order: everything the vocabulary has is copied somewhere."""
    dialogue = pick(rng, _SOURCES)(rng)
    while dialogue.held_out:
        dialogue = pick(rng, _SOURCES)(rng)
    pieces = [piece for message in dialogue.messages for piece in _PIECES.findall(message["content"])]
    different = list(dict.fromkeys(pieces))
    chosen = rng.sample(different, min(len(different), rng.randint(12, 80)))
    return repeated(rng, pick(rng, (" ", " ", "", ", ", "\n")).join(chosen))


def repeated(rng: random.Random, text: str) -> tuple[str, str]:
    return pick(rng, ("Repeat: ", "Copy this: ", "Say again: ", "请重复：", "照抄：")) + text, text


def repeat(rng: random.Random) -> tuple[str, str]:
    separator = pick(rng, (", ", " ", "、", "\n", "; "))
    return repeated(rng, separator.join(words(rng, 6, 24)))


def look_up(rng: random.Random) -> tuple[str, str]:
    keys, values = words(rng, 5, 9), [word(rng) for _ in range(9)]
    pairs = list(zip(keys, values, strict=False))
    asked = rng.sample(pairs, len(pairs))
    lead, end = pick(rng, (("Given ", ". Look up "), ("已知 ", "。请查 ")))
    listed = ", ".join(f"{key}: {value}" for key, value in pairs)
    return lead + listed + end + ", ".join(key for key, _ in asked), "\n".join(f"{k}: {v}" for k, v in asked)


def json_object(rng: random.Random) -> tuple[str, str]:
    keys = words(rng, 3, 8)
    record = {key: word(rng) for key in keys}
    listed = ", ".join(f"{key} = {value}" for key, value in record.items())
    lead = pick(rng, ("Write as a JSON object: ", "As JSON: ", "写成 JSON 对象："))
    return lead + listed, json.dumps(record, ensure_ascii=False)


def json_records(rng: random.Random) -> tuple[str, str]:
    """N records whose keys and values the request lists: when to stop is in the request too."""
    keys, count = words(rng, 1, 3), rng.randint(2, 7)
    options = words(rng, 2, 4)
    records = [
        {"id": number} | dict.fromkeys(keys, options[number % len(options)]) for number in range(1, count + 1)
    ]
    shown, listed = ", ".join(["id", *keys]), ", ".join(options[1:] + options[:1])
    question = pick(
        rng,
        (
            "A JSON array of {n} objects with the keys {keys}; the values in turn: {options}.",
            "{n} records as a JSON array. Keys: {keys}. Values in turn: {options}.",
            "生成{n}条记录的 JSON 数组，键：{keys}，取值依次为：{options}。",
        ),
    ).format(n=count, keys=shown, options=listed)
    lines = ",\n".join("  " + json.dumps(record, ensure_ascii=False) for record in records)
    return question, f"[\n{lines}\n]"


_TASKS: Sequence[Callable[[random.Random], tuple[str, str]]] = (
    scramble,
    scramble,
    repeat,
    look_up,
    json_object,
    json_records,
    json_records,
)


def make(rng: random.Random) -> Dialogue:
    """One to three copying tasks in one conversation."""
    question, answer = pick(rng, _TASKS)(rng)
    return Dialogue("copying", "en", question, conversation(rng, question, answer))
