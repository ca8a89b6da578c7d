# ruff: noqa: E501 (sentences of the data stay on one line)
"""Questions asked in one language whose answer is demanded in another: everyday instructions in numbered steps."""

from __future__ import annotations

import random

from train.dialogues.dialogue import Dialogue, conversation, pick
from train.dialogues.how_to import TOPICS, Topic

KIND = "multilingual"

LANGUAGE_NAMES = {
    "en": {"en": "English", "zh": "Chinese", "ja": "Japanese", "fr": "French", "ar": "Arabic"},
    "zh": {"en": "英语", "zh": "中文", "ja": "日语", "fr": "法语", "ar": "阿拉伯语"},
}
CHINESE_SYNONYMS = {
    "en": ("英语", "英文"),
    "zh": ("中文", "汉语", "中文"),
    "ja": ("日语", "日文"),
    "fr": ("法语", "法文"),
    "ar": ("阿拉伯语", "阿拉伯文"),
}

ENGLISH_QUESTIONS = (
    "Explain in {l} how to {t}. Use numbered steps.",
    "Explain how to {t}. Answer in {l}, in numbered steps.",
    "In {l}, describe how to {t} in numbered steps.",
    "How do I {t}? Answer in {l} with numbered steps.",
    "How do you {t}? Please reply in {l}, step by step.",
    "Please explain how to {t}. Write your answer only in {l}, as a numbered list.",
    "Explain in {l} how to {t}.",
    "Please answer in {l}: how can I {t}?",
    "Tell me in {l} how to {t}. Number the steps.",
    "Write {l} instructions for how to {t}, with numbered steps.",
    "Give me step-by-step instructions in {l}: how to {t}.",
    "Describe in {l}, in at least five numbered steps, how to {t}.",
    "I want to know how to {t}. Answer entirely in {l}. Use a numbered list of steps.",
    "Please answer in {l}: how do I {t}? Use at least 5 numbered steps.",
    "Write in {l} only: numbered steps that explain how to {t}.",
    "Using {l}, list the steps to {t}.",
    "Reply in {l} only. How can I {t}? Number each step.",
)
CHINESE_QUESTIONS = (
    "请用{l}说明如何{t}，用编号步骤。",
    "请用{l}解释怎么{t}，分步骤编号。",
    "如何{t}？请用{l}回答，并给步骤编号。",
    "怎样{t}？请用{l}分步骤回答。",
    "请用{l}说明如何{t}。",
    "怎么{t}？用{l}回答。",
    "用{l}告诉我怎么{t}，步骤要编号。",
    "请用{l}写出{t}的步骤，带编号。",
    "请用{l}介绍{t}的方法，按步骤列出。",
    "我想知道如何{t}。请全部用{l}回答，列出编号的步骤。",
    "请只用{l}回答：怎么{t}？至少五个步骤，每步编号。",
    "用{l}分步说明{t}的方法，至少5步。",
    "请以{l}作答，用编号列表说明如何{t}。",
)


def answer(rng: random.Random, topic: Topic, language: str) -> str:
    lines = [pick(rng, step.split(" | ")) for step in topic.steps[language]]
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def make(rng: random.Random) -> Dialogue:
    asked = pick(rng, ("en", "zh"))
    wanted = pick(rng, ("ja", "ja", "fr", "fr", "ar", "ar", "zh" if asked == "en" else "en", "en", "zh"))
    topic = TOPICS[pick(rng, sorted(TOPICS))]
    if asked == "en":
        question = pick(rng, ENGLISH_QUESTIONS).format(
            l=LANGUAGE_NAMES["en"][wanted], t=pick(rng, topic.english)
        )
        question = pick(rng, ("", "", "", "Hi! ", "Hello. ", "Please help me. ")) + question
        question += pick(
            rng,
            (
                "",
                "",
                "",
                " Do not use any other language.",
                " Use at least five numbered steps and no other language.",
                " Use at least 5 numbered steps.",
                " Only the steps, please.",
                " Keep it short.",
                " Thank you.",
            ),
        )
    else:
        question = pick(rng, CHINESE_QUESTIONS).format(
            l=pick(rng, CHINESE_SYNONYMS[wanted]), t=pick(rng, topic.chinese)
        )
        question = pick(rng, ("", "", "", "你好，", "您好！", "请帮帮我。")) + question
        question += pick(
            rng,
            (
                "",
                "",
                "",
                "不要使用其他语言。",
                "至少写五个编号步骤，不要使用其他语言。",
                "至少 5 步，每步编号。",
                "只写步骤。",
                "尽量简短。",
                "谢谢。",
            ),
        )
    expect = {"check": "language", "language": wanted, "steps": 5, "terms": list(topic.terms[wanted])}
    return Dialogue(KIND, asked, question, conversation(rng, question, answer(rng, topic, wanted)), expect)
