"""The words in which the guard asks a model for JSON of a schema, and again after a wrong answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

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


def again(
    body: Mapping[str, Any], text: str, problems: Sequence[str], finish_reason: str | None
) -> dict[str, Any]:
    """The request for another answer in the place of `text`, which had these problems."""
    listed = "\n".join(f"- {problem}" for problem in problems)
    hint = "\nIt was cut off at the limit of its length: be shorter." if finish_reason == "length" else ""
    complaint = (
        f"Your answer is not the JSON that was asked for. What is wrong:\n{listed}{hint}\n"
        "Answer again with the whole corrected JSON and nothing else."
    )
    said = [{"role": "assistant", "content": text[:MAX_REPEATED_CHARACTERS]}] if text else []
    messages = [*body["messages"], *said, {"role": "user", "content": complaint}]
    return dict(body) | {"messages": messages} | ({"n": 1} if "n" in body else {})
