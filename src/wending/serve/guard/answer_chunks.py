"""A whole chat completion as the chunks of a stream that add up to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def answer_chunks(answer: Mapping[str, Any], include_usage: bool) -> Iterator[dict[str, Any]]:
    """For each choice a chunk with all it says and one with how it ended, then the usage, if that is wanted.

    Fields that only the upstream knows stay where they were: of the answer, of the choice, of the message.
    """
    common = {name: value for name, value in answer.items() if name not in ("choices", "usage", "wending")}
    common["object"] = "chat.completion.chunk"
    if include_usage:
        common["usage"] = None
    for position, choice in enumerate(answer["choices"]):
        index = choice.get("index", position)
        said = {name: value for name, value in choice.items() if name not in ("message", "finish_reason")}
        said |= {"index": index, "delta": delta_of(choice.get("message") or {}), "finish_reason": None}
        yield common | {"choices": [said]}
        end = {"index": index, "delta": {}, "finish_reason": choice.get("finish_reason") or "stop"}
        yield common | {"choices": [end]}
    if include_usage:
        yield common | {"choices": [], "usage": answer.get("usage")}


def report_chunk(chunk: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """A last chunk that says nothing but what the guard did. `chunk` is any other one of the stream."""
    kept = {name: chunk[name] for name in ("id", "created", "model") if name in chunk}
    return kept | {"object": "chat.completion.chunk", "choices": [], "wending": dict(report)}


def delta_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """A delta that says the whole message."""
    delta = dict(message)
    if delta.get("tool_calls"):
        delta["tool_calls"] = [{"index": i} | call for i, call in enumerate(delta["tool_calls"])]
    return delta
