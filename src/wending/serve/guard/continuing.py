"""An answer that reached its length goes on in a further request, with the text so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# vLLM, SGLang and wending continue a last message of the assistant only if they are told to; llama-server and
# Ollama do by themselves, and pass over what they do not know.
CONTINUE_FIELDS: dict[str, Any] = {"continue_final_message": True, "add_generation_prompt": False}
SHORTEST_REPETITION = 12
"""Characters; fewer may well be said twice: "ha, ha, "."""
LONGEST_REPETITION = 4000


def to_continue(body: Mapping[str, Any], text: str, with_fields: bool) -> dict[str, Any]:
    """The request for what follows `text`, the answer to `body` so far; `with_fields` that say so.

    Where `body` itself asks for its last message to be continued, that message grows.
    """
    messages = list(body["messages"])
    before = ""
    if body.get("continue_final_message") is True and isinstance(messages[-1].get("content"), str):
        before = messages.pop()["content"]
    messages.append({"role": "assistant", "content": before + text})
    others = {name: value for name, value in body.items() if name not in CONTINUE_FIELDS}
    return others | {"messages": messages} | (CONTINUE_FIELDS if with_fields else {})


def without_repetition(text: str, more: str) -> str:
    """What `more` adds to `text`: some upstreams say the end of it again, or all of it, before they go on."""
    if len(text) >= SHORTEST_REPETITION and more.startswith(text):
        return more[len(text) :]
    longest = min(len(text), len(more), LONGEST_REPETITION)
    for length in range(longest, SHORTEST_REPETITION - 1, -1):
        if text.endswith(more[:length]):
            return more[length:]
    return more
