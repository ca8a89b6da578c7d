# ruff: noqa: E501 (sentences of the data stay on one line)
"""Word problems with small whole numbers, solved in fixed short steps, and drills of the arithmetic they use.

A problem's key is its kind and its numbers, whatever the wording and the language: numbers that are held out are
never solved in the training data.
"""

from __future__ import annotations

import random
import re

from train.dialogues.dialogue import Dialogue, conversation, pick
from train.dialogues.word_problems import PROBLEMS, pipes

KIND = "math_reasoning"
HELD_OUT_PIPES = (12, 15, 3)

ENDINGS = {
    "en": (
        " Show your working and give the answer on the last line.",
        " Show the steps.",
        ' Solve it step by step. The last line must be "Answer: N".',
        " Think step by step.",
        ' Show the main steps and end with "Answer: <number>".',
        ' Show the steps and end with a line of the form "Answer: <number>".',
        ' Give a short solution; end with "Answer: " and the number.',
        ' Explain briefly, then write the final answer as "Answer: <number>".',
        "",
        "",
    ),
    "zh": (
        "请写出解题过程，最后一行给出答案。",
        "请一步一步解答。",
        "请写出主要步骤，最后一行写“答案：数字”。",
        "写出简要步骤，最后一行写成“答案：数字”。",
        "请写出步骤，最后一行写“答案：N”。",
        "请给出简短的解答，最后一行以“答案：”开头。",
        "简要说明计算过程，最后写成“答案：数字”。",
        "",
        "",
    ),
}


def make(rng: random.Random) -> Dialogue:
    language = pick(rng, ("en", "zh"))
    problem = pick(rng, PROBLEMS)
    question, answer, number, numbers = problem(rng, language)
    return Dialogue(
        KIND,
        language,
        f"{problem.__name__}{numbers}",
        conversation(rng, question + pick(rng, ENDINGS[language]), answer),
        {"check": "number", "number": number},
        always_held_out=problem is pipes and numbers == HELD_OUT_PIPES,
    )


CALCULATION = re.compile(r"(?<![\d/])\d+ [-+×÷] \d+(?: = \d+(?: [×+] \d+)*)+")


def make_drill(rng: random.Random) -> Dialogue:
    """Several bare calculations in one exchange, taken from the solutions of other problems."""
    language = pick(rng, ("en", "zh"))
    lines: list[str] = []
    wanted = rng.randint(3, 8)
    while len(lines) < wanted:
        problem = make(rng)
        if not problem.held_out:
            lines += [line.strip() for line in CALCULATION.findall(problem.answer)]
    rng.shuffle(lines)
    lines = lines[:wanted]
    questions = [line.split(" = ")[0] for line in lines]
    if language == "en":
        lead = pick(rng, ("Calculate: ", "Compute: ", "Work out ", "What is "))
    else:
        lead = pick(rng, ("计算：", "请计算 ", "算一算："))
    messages = conversation(rng, lead + ", ".join(questions), "\n".join(lines))
    return Dialogue("drill", language, ";".join(questions), messages)
