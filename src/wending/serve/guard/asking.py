"""The words in which the guard asks a model for JSON of a schema, and again after a wrong answer or call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wending.serve.guard.verdict import MessageVerdict

_JSON = (
    "Your answer is not the JSON that was asked for.",
    "Answer again with the whole corrected JSON and nothing else.",
)
_CALLS = (
    "Your answer does not call the functions as it must.",
    "Answer again: call them with corrected arguments.",
)
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


def again(body: Mapping[str, Any], verdict: MessageVerdict, finish_reason: str | None) -> dict[str, Any]:
    """The request for another answer in the place of the one that was judged.

    What it said is repeated as text, its calls too: as calls, some upstreams refuse arguments that are not
    JSON, and all want an answer to each.
    """
    listed = "\n".join(f"- {problem}" for problem in verdict.problems)
    hint = "\nIt was cut off at the limit of its length: be shorter." if finish_reason == "length" else ""
    wrong, wanted = _CALLS if verdict.is_about_calls else _JSON
    complaint = f"{wrong} What is wrong:\n{listed}{hint}\n{wanted}"
    text = verdict.said[:MAX_REPEATED_CHARACTERS]
    said = [{"role": "assistant", "content": text}] if text else []
    messages = [*body["messages"], *said, {"role": "user", "content": complaint}]
    return dict(body) | {"messages": messages} | ({"n": 1} if "n" in body else {})
