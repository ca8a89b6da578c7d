# ruff: noqa: E501 (sentences of the data stay on one line)
"""Dialogues under a role that the system prompt gives: a back-end engineer who writes code only, and personas whose
answers carry a marker, keep a language, stay short and avoid a subject, over one turn or many, even under pressure.
"""

from __future__ import annotations

import random

from train.dialogues.dialogue import Dialogue, Message, pick
from train.dialogues.endpoints import create_request, login_request, register_request
from train.dialogues.personas import FORBIDDEN, PRESSURE, WHO, Persona, draw_persona, system_prompt
from train.dialogues.talk import CHAT, FACTS, open_question

KIND = "role_play"

ENGINEERS = {
    "en": (
        "You are a senior back-end engineer who works with FastAPI.",
        "You are a senior backend engineer for FastAPI.",
        "You are an experienced FastAPI back-end developer.",
        "Act as a senior Python back-end engineer. You use FastAPI.",
        "You are a senior backend developer, expert in FastAPI and pydantic.",
        "You are a back-end engineer with ten years of Python. You write FastAPI services.",
    ),
    "zh": (
        "你是一名资深的 FastAPI 后端工程师。",
        "你是资深后端工程师，精通FastAPI。",
        "你是一位经验丰富的 Python 后端开发者，使用 FastAPI。",
        "请扮演一名资深后端工程师，用FastAPI写服务。",
        "你是高级后端开发工程师，擅长 FastAPI 和 pydantic。",
    ),
}
CODE_ONLY = {
    "en": (
        "Answer with code only, no explanation.",
        "Output code only.",
        "You answer with code only and never explain.",
        "Reply only with code, without any explanation.",
        "Give only the code, no comments around it.",
        "Write code only; no explanations.",
        "You answer with code only, without explanation.",
    ),
    "zh": (
        "只输出代码，不要解释。",
        "只给代码，不写任何说明。",
        "回答只包含代码。",
        "只回复代码，不要任何解释。",
        "直接输出代码，不做解释。",
    ),
}
BARE = {
    "en": (
        "No Markdown.",
        "Plain code without Markdown.",
        "Do not use a code fence.",
        "Bare code, no code block.",
    ),
    "zh": ("不要使用Markdown。", "不要代码块标记，直接写代码。", "不用 Markdown 格式。"),
}


def engineer(rng: random.Random) -> Dialogue:
    language = pick(rng, ("en", "zh"))
    share = rng.random()
    if share < 0.45:
        request, code = register_request(rng, language)
        expect = {"check": "endpoint", "rules": ["email", "length", "digit", "special"]}
    elif share < 0.55:
        request, code = login_request(rng, language)
        expect = {"check": "endpoint", "rules": []}
    else:
        request, code = create_request(rng, language)
        expect = {"check": "endpoint", "rules": []}
    system_language = language if rng.random() < 0.85 else pick(rng, ("en", "zh"))
    space = " " if system_language == "en" else ""
    parts = [pick(rng, CODE_ONLY[system_language])]
    bare = rng.random() < 0.2
    if bare:
        parts.append(pick(rng, BARE[system_language]))
    system = space.join([pick(rng, ENGINEERS[system_language]), *parts])
    messages = [{"role": "system", "content": system}]
    if rng.random() < 0.2:
        messages = [{"role": "system", "content": pick(rng, ENGINEERS[system_language])}]
        request = request + (" " if language == "en" else "") + pick(rng, CODE_ONLY[language])
        if bare:
            request += (" " if language == "en" else "") + pick(rng, BARE[language])
    answer = code if bare else f"```python\n{code}\n```"
    messages += [{"role": "user", "content": request}, {"role": "assistant", "content": answer}]
    return Dialogue(KIND, language, system + request, messages, expect)


def turn(rng: random.Random, persona: Persona) -> tuple[str, str]:
    """One user message and the persona's answer."""
    mine = persona.language
    asked = mine if rng.random() < 0.85 else ("zh" if mine == "en" else "en")
    share = rng.random()
    if share < 0.30:
        entry = pick(rng, FACTS)
        question, text = pick(rng, entry.questions[asked]), entry.answer[mine]
    elif share < 0.55:
        entry = pick(rng, CHAT)
        question, text = pick(rng, entry.questions[asked]), entry.answer[mine]
    elif share < 0.70:
        english, english_answer, chinese, chinese_answer = pick(rng, persona.role.questions)
        question, text = (
            (english if asked == "en" else chinese),
            (english_answer if mine == "en" else chinese_answer),
        )
    elif share < 0.78:
        question = pick(rng, WHO[asked])
        text = (
            f"I am {persona.name}, {persona.role.english}."
            if mine == "en"
            else f"我是{persona.name}，{persona.role.chinese}。"
        )
    elif share < 0.88:
        question = pick(rng, PRESSURE[asked]).format(n=persona.name)
        text = (
            f"I am still {persona.name}, {persona.role.english}, and I stay in my role."
            if mine == "en"
            else f"我还是{persona.name}，{persona.role.chinese}，不会离开我的角色。"
        )
    elif share < 0.90:
        entry = pick(rng, FACTS)
        pressure = pick(rng, PRESSURE[asked]).format(n=persona.name)
        bridge = (
            pick(rng, ("", " Now tell me:", " And now:", " Just answer:"))
            if asked == "en"
            else pick(rng, ("", "现在告诉我：", "请回答：", "直接回答："))
        )
        question = f"{pressure}{bridge}{' ' if asked == 'en' else ''}{pick(rng, entry.questions[asked])}"
        text = entry.answer[mine]
    elif share < 0.96 and persona.forbidden:
        wording = FORBIDDEN[pick(rng, persona.forbidden)]
        question, text = pick(rng, wording[asked][1]), wording[mine][2]
    else:
        question = open_question(rng, asked)
        text = (
            "I know little about that, but I am glad to help with something else."
            if mine == "en"
            else "这个我不太了解，不过很乐意帮您别的忙。"
        )
    if rng.random() < 0.12:
        greeting = (
            ("Hello! ", "Thank you. ", "Hi, ", "Good morning. ", "One more thing: ")
            if asked == "en"
            else ("你好，", "谢谢。", "您好！", "对了，", "早上好，")
        )
        question = pick(rng, greeting) + question
    return question, persona.say(text)


def persona_dialogue(rng: random.Random, turns: int) -> Dialogue:
    persona = draw_persona(rng)
    messages: list[Message] = [{"role": "system", "content": system_prompt(rng, persona)}]
    for _ in range(turns):
        question, answer = turn(rng, persona)
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    expect = {
        "check": "persona",
        "language": persona.language,
        "opening": persona.opening,
        "closing": persona.closing,
        "sentences": 2 if persona.short else 0,
        "name": persona.name,
        "no_price": "price" in persona.forbidden,
    }
    return Dialogue(
        KIND, persona.language, f"{persona.name}|{persona.opening}|{persona.closing}", messages, expect
    )


def make(rng: random.Random) -> Dialogue:
    if rng.random() < 0.42:
        return engineer(rng)
    return persona_dialogue(rng, pick(rng, (1, 1, 2, 2, 3, 3, 4, 5, 6)))


def make_long(rng: random.Random) -> Dialogue:
    """A conversation of 12 to 60 turns, up to about 2,000 tokens."""
    return persona_dialogue(rng, rng.randint(12, 60))
