"""The words in which the guard asks a model for JSON of a schema, and again after a wrong answer or call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wending.serve.guard.call_check import arguments_text, is_of_function
from wending.serve.guard.message_text import text_of
from wending.serve.guard.message_verdict import MessageVerdict

MAX_REPEATED_CHARACTERS = 8000  # of a wrong answer; its beginning shows the model what it did


def in_words(body: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    """The request without `response_format`, which its system message asks for instead."""
    demand = (
        "Answer with JSON only: no explanation, no Markdown. "
        f"The JSON must be valid against this JSON schema:\n{json.dumps(schema, ensure_ascii=False)}"
    )
    first, *others = body["messages"]
    if first.get("role") != "system":
        messages = [{"role": "system", "content": demand}, *body["messages"]]
    elif isinstance(first.get("content"), list):
        messages = [first | {"content": [*first["content"], {"type": "text", "text": demand}]}, *others]
    else:
        messages = [first | {"content": f"{first.get('content') or ''}\n\n{demand}".strip()}, *others]
    return {name: value for name, value in body.items() if name != "response_format"} | {"messages": messages}


def again(body: Mapping[str, Any], wrong: MessageVerdict, finish_reason: Any) -> dict[str, Any]:
    """The request for another answer in the place of the one that was wrong.

    Calls are answered as their tools would answer, because endpoints insist on an answer to each.
    """
    calls = wrong.said.get("tool_calls")
    if isinstance(calls, list) and calls and all(isinstance(call, dict) for call in calls):
        said = _calls_with_answers(wrong, calls)
    else:
        text = text_of(wrong.said)
        said = [{"role": "assistant", "content": text[:MAX_REPEATED_CHARACTERS]}] if text else []
        said.append({"role": "user", "content": _complaint(wrong, finish_reason)})
    return dict(body) | {"messages": [*body["messages"], *said]} | ({"n": 1} if "n" in body else {})


def _complaint(wrong: MessageVerdict, finish_reason: Any) -> str:
    listed = _listed(problem for _, problem in wrong.problems)
    hint = "\nIt was cut off at the limit of its length: be shorter." if finish_reason == "length" else ""
    if wrong.about == "response_format":
        begin = "Your answer is not the JSON that was asked for."
        end = "Answer again with the whole corrected JSON and nothing else."
    else:
        begin = "Your answer does not call a tool as it should."
        end = "Answer again with the whole corrected call."
    return f"{begin} What is wrong:\n{listed}{hint}\n{end}"


def _calls_with_answers(wrong: MessageVerdict, calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The message that made the calls, and for each a message that says why it was not run."""
    repeated: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for i, call in enumerate(calls):
        function = call["function"] if isinstance(call.get("function"), dict) else {}
        text = arguments_text(function)
        # Endpoints that read the arguments of earlier calls fail over what is no object: so it is quoted.
        is_readable = len(text) <= MAX_REPEATED_CHARACTERS and _is_object(text)
        call_id = str(call.get("id") or f"call_{i}")
        sent = {"name": str(function.get("name") or "unknown"), "arguments": text if is_readable else "{}"}
        of_function = {"id": call_id, "type": "function", "function": sent}
        repeated.append(of_function if is_of_function(call) else dict(call))
        answer = _why_not_run([problem for at, problem in wrong.problems if at in (i, None)])
        if text.strip() and not is_readable:
            answer += f"\nThe arguments were: {text[:MAX_REPEATED_CHARACTERS]}"
        answers.append({"role": "tool", "tool_call_id": call_id, "content": answer})
    content = text_of(wrong.said)[:MAX_REPEATED_CHARACTERS] or None
    return [{"role": "assistant", "content": content, "tool_calls": repeated}, *answers]


def _why_not_run(problems: Sequence[str]) -> str:
    if not problems:
        return "Error: this call was not run, because another call beside it is wrong. Make it again."
    return (
        f"Error: this call was not run. What is wrong:\n{_listed(problems)}\nMake the whole corrected call."
    )


def _listed(problems: Iterable[str]) -> str:
    return "\n".join(f"- {problem}" for problem in problems)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
