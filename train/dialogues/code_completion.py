# ruff: noqa: E501 (sentences of the data stay on one line)
"""Requests to complete or to write one small Python function; the answer is the whole function."""

from __future__ import annotations

import random
import re

from train.dialogues.dialogue import Dialogue, conversation, pick
from train.dialogues.functions import FUNCTIONS, Function

KIND = "code_completion"


def fill(template: str, name: str, parameters: list[str]) -> str:
    """Puts the names in; other braces of the code stay as they are."""
    values = dict(zip("abc", parameters, strict=False)) | {"f": name}
    return re.sub(r"\{([abcf])\}", lambda m: values[m.group(1)], template).replace("{{}}", "{}")


def signature(rng: random.Random, function: Function, name: str, parameters: list[str]) -> str:
    style = rng.random()
    if style < 0.5:
        typed = [f"{p}: {kind}" for p, (_, kind) in zip(parameters, function.parameters, strict=True)]
        returns = function.returns if rng.random() < 0.6 else function.returns.split("[")[0]
        return f"def {name}({', '.join(typed)}) -> {returns}:"
    return f"def {name}({', '.join(parameters)}):"


def examples(rng: random.Random, function: Function, name: str) -> str:
    arguments, result = pick(rng, function.cases)
    return f"{name}({', '.join(map(repr, arguments))}) -> {result!r}"


def make(rng: random.Random) -> Dialogue:
    language = pick(rng, ("en", "zh"))
    english = language == "en"
    function = FUNCTIONS[0] if rng.random() < 0.05 else pick(rng, FUNCTIONS)
    name = pick(rng, function.names)
    usual = rng.random() < 0.6
    parameters = [options[0] if usual else pick(rng, options) for options, _ in function.parameters]
    head = signature(rng, function, name, parameters)
    description = fill(pick(rng, function.english if english else function.chinese), name, parameters)
    full_stop = "." if english else "。"
    plain_description = description[0].lower() + description[1:] if english else description
    style = rng.random()
    fenced = True
    if style < 0.55:
        inside = '    """' + description + full_stop
        if rng.random() < 0.2:
            inside += f"\n\n    >>> {examples(rng, function, name)}\n    "
        code = f'{head}\n{inside}"""'
        if rng.random() < 0.3:
            code += (
                "\n    pass" if rng.random() < 0.3 else "\n    # TODO" if rng.random() < 0.5 else "\n    ..."
            )
        if rng.random() < 0.6:
            code = f"```python\n{code}\n```"
        lead = pick(
            rng,
            (
                "Complete this Python function:",
                "Complete the following function:",
                "Complete the function.",
                "Finish this Python code:",
                "Implement this function:",
                "Fill in the body of this function:",
                "Please complete the Python function below.",
                "Complete this function. Return only the code.",
                "Complete this Python function. Answer with code only.",
                "Complete the function below. Code only.",
                "Complete this Python function. Only the code, please.",
                "Complete the code:",
            ),
        )
        if not english:
            lead = pick(
                rng,
                (
                    "补全下面的Python函数：",
                    "请完成以下函数：",
                    "请补全这个函数。",
                    "实现下面的函数：",
                    "完成下面的代码：",
                    "请补全下面的 Python 代码，只输出代码：",
                    "补全函数：",
                    "请补全下面的 Python 函数，只输出代码。",
                    "补全下面的函数，只要代码。",
                ),
            )
        question = f"{lead}\n{code}" if rng.random() < 0.75 else f"{lead}\n\n{code}"
    else:
        shown = (
            head[4:-1]
            if rng.random() < 0.6
            else name
            if rng.random() < 0.4
            else f"{name}({', '.join(parameters)})"
        )
        if shown == name:
            head = f"def {name}({', '.join(parameters)}):"
        elif shown != head[4:-1]:
            head = f"def {shown}:"
        if english:
            question = pick(
                rng,
                (
                    f"Write a Python function {shown}. {description}.",
                    f"Write a Python function `{shown}` that does this: {plain_description}.",
                    f"Implement {shown} in Python: {plain_description}.",
                    f"In Python, write {shown}. {description}.",
                    f"I need a Python function {shown}: {plain_description}.",
                    f"Please write the function {shown}. {description}.",
                    f"Write a Python function {shown} that should {plain_description}."
                    if not plain_description.startswith(
                        ("return", "compute", "count", "check", "convert", "find")
                    )
                    else f"Write a Python function {shown} that {plain_description.split()[0]}s {plain_description.split(maxsplit=1)[1]}.",
                ),
            )
            question += pick(
                rng,
                (
                    "",
                    "",
                    " Code only.",
                    " Only the code, please.",
                    " Answer with code only.",
                    " No explanation.",
                ),
            )
        else:
            question = pick(
                rng,
                (
                    f"写一个Python函数 {shown}，{description}。",
                    f"请用 Python 实现 {shown}：{description}。",
                    f"编写函数 `{shown}`：{description}。",
                    f"用Python写函数{shown}，功能：{description}。",
                    f"请写一个 Python 函数 {shown}，要求：{description}。",
                ),
            )
            question += pick(rng, ("", "", "只输出代码。", "不要解释。", "只要代码，不要解释。"))
        if shown == name and usual is False:
            parameters = [options[0] for options, _ in function.parameters]
            description = fill(pick(rng, function.english if english else function.chinese), name, parameters)
            head = f"def {name}({', '.join(parameters)}):"
            question = (
                f"Write a Python function {name}: {description}."
                if english
                else f"写一个 Python 函数 {name}：{description}。"
            )
    if rng.random() < 0.06:
        question += " No Markdown, plain code." if english else "不要使用Markdown。"
        fenced = False
    body = fill(function.body, name, parameters)
    answer = head + "\n" + "\n".join("    " + line for line in body.split("\n"))
    if fenced:
        answer = f"```python\n{answer}\n```"
    expect = {"check": "code", "function": name, "cases": [list(case) for case in function.cases]}
    return Dialogue(KIND, language, question, conversation(rng, question, answer), expect)
