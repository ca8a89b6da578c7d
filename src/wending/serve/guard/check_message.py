"""Decides whether what an upstream says is what was asked for: JSON in its text, calls of tools, or both."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from wending.serve.guard.judge import Judge
from wending.serve.guard.tool_demand import ToolDemand
from wending.serve.guard.verdict import MessageVerdict, Repair

_CALL_IN_TEXT = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_CALL_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "arguments": {"type": "object"}},
    "required": ["name"],
}
"""Of a call as Hermes models write it."""


async def check_message(
    judge: Judge, message: Mapping[str, Any], schema: Any, tools: ToolDemand | None
) -> MessageVerdict:
    """`schema`: of the text; None if any will do. `tools`: None if calls are not looked at."""
    if message.get("function_call") or message.get("refusal"):
        return MessageVerdict(dict(message), "")
    if message.get("tool_calls"):
        return MessageVerdict(dict(message), "") if tools is None else await _calls(judge, message, tools)
    text = text_of(message)
    if tools is not None and "<tool_call>" in text:
        return await _calls_in_text(judge, message, text, tools)
    if tools is not None and tools.must_call is not None:
        return MessageVerdict(None, text, problems=(tools.must_call,), is_about_calls=True)
    if schema is None:
        return MessageVerdict(dict(message), text)
    verdict = await judge.check_answer(text, schema)
    found = None if verdict.text is None else {**message, "content": verdict.text}
    return MessageVerdict(found, text, verdict.repairs, verdict.problems)


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message or a delta; none is the empty one."""
    content = message.get("content")
    return content if isinstance(content, str) else ""


async def _calls(judge: Judge, message: Mapping[str, Any], tools: ToolDemand) -> MessageVerdict:
    """Each call has to be of a function that was offered, with arguments that keep to its schema."""
    calls: list[dict[str, Any]] = []
    repairs: list[Repair] = []
    problems: list[str] = []
    for call in message["tool_calls"]:
        name, arguments = _named(call)
        if name not in tools.schemas:
            problems.append(f"there is no function {name!r}; there are: {', '.join(tools.schemas)}")
            continue
        text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
        verdict = await judge.check_answer(text.strip() or "{}", tools.schemas[name])
        if verdict.text is None:
            problems += [f"the arguments of {name}: {problem}" for problem in verdict.problems]
            continue
        repairs += verdict.repairs or (() if verdict.text == arguments else ("syntax",))
        calls.append({**call, "function": {**call["function"], "arguments": verdict.text}})
    found = None if problems else {**message, "tool_calls": calls}
    return MessageVerdict(found, _as_text(message), tuple(repairs), tuple(problems), is_about_calls=True)


async def _calls_in_text(
    judge: Judge, message: Mapping[str, Any], text: str, tools: ToolDemand
) -> MessageVerdict:
    """Calls that the upstream did not find in its model's text become what they were meant to be."""
    calls = []
    for written in _CALL_IN_TEXT.findall(text):
        verdict = await judge.check_answer(written.strip(), _CALL_SCHEMA)
        if verdict.text is None:
            problems = tuple(f"a call in the text: {problem}" for problem in verdict.problems)
            return MessageVerdict(None, text, problems=problems, is_about_calls=True)
        call = json.loads(verdict.text)
        function = {
            "name": call["name"],
            "arguments": json.dumps(call.get("arguments", {}), ensure_ascii=False),
        }
        calls.append({"id": f"call_{uuid.uuid4().hex}", "type": "function", "function": function})
    before = text.partition("<tool_call>")[0].strip()
    found = await _calls(judge, {**message, "content": before or None, "tool_calls": calls}, tools)
    return MessageVerdict(
        found.message, text, ("tool_call_in_text", *found.repairs), found.problems, is_about_calls=True
    )


def _named(call: Any) -> tuple[str, Any]:
    """Name and arguments; a call that is none has an empty name."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return "", None
    return str(function.get("name") or ""), function.get("arguments")


def _as_text(message: Mapping[str, Any]) -> str:
    """What was said, with its calls, in words that any upstream takes as a message."""
    calls: Sequence[Any] = message["tool_calls"]
    lines = [f"{name}({arguments})" for name, arguments in map(_named, calls)]
    return "\n".join([text_of(message), *lines] if text_of(message) else lines)
