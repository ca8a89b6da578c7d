"""Answers of tools in a conversation, in the order of the calls that they answer.

The chat template shows the model no ids: which answer belongs to which call, only their order says.
"""

from __future__ import annotations

from collections.abc import Sequence

from wending.serve.chat_message import ChatMessage
from wending.serve.openai_errors import invalid_value


def in_order_of_calls(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages, answers to one turn's calls sorted. Raises APIError 400 for an id that no call has.

    An answer without an id stays in its place behind those of its turn that have one.
    """
    ordered: list[ChatMessage] = []
    place_of_call: dict[str, int] = {}
    answers: list[tuple[int, ChatMessage]] = []
    for i, message in enumerate(messages):
        if message.role == "tool":
            answers.append((_place(place_of_call, message, i), message))
            continue
        ordered += _sorted(answers)
        answers = []
        if message.tool_calls:
            place_of_call = {call.id: place for place, call in enumerate(message.tool_calls)}
        ordered.append(message)
    return ordered + _sorted(answers)


def _place(place_of_call: dict[str, int], answer: ChatMessage, i: int) -> int:
    if answer.tool_call_id is None:
        return len(place_of_call)
    if answer.tool_call_id not in place_of_call:
        message = f"no call of the assistant message before has the id {answer.tool_call_id[:80]!r}"
        raise invalid_value(f"messages[{i}].tool_call_id", message)
    return place_of_call[answer.tool_call_id]


def _sorted(answers: list[tuple[int, ChatMessage]]) -> list[ChatMessage]:
    return [message for _, message in sorted(answers, key=lambda each: each[0])]
