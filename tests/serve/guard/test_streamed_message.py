"""Messages put together from deltas, as different endpoints cut them."""

from __future__ import annotations

from typing import Any

import pytest

from wending.serve.guard.streamed_message import StreamedMessage

BEGIN = {"id": "c0", "type": "function", "function": {"name": "f", "arguments": ""}}
WHOLE = {"id": "c0", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def message_of(*deltas: dict[str, Any]) -> dict[str, Any]:
    message = StreamedMessage()
    for delta in deltas:
        message.take(delta)
    return message.message()


@pytest.mark.parametrize(
    "deltas",
    [
        [[{"index": 0} | WHOLE]],
        [[{"index": 0} | BEGIN], [{"index": 0, "function": {"arguments": "{}"}}]],
        [
            [{"index": 0} | BEGIN],
            [{"index": 0, "id": None, "function": {"name": None, "arguments": "{"}}],
            [{"index": 0, "type": "function", "function": {"arguments": "}"}}],
        ],
        [[BEGIN], [{"function": {"arguments": "{}"}}]],  # without an index
        [[{"index": 7} | WHOLE]],
    ],
)
def test_a_call(deltas: list[Any]) -> None:
    message = message_of({"role": "assistant"}, *({"tool_calls": delta} for delta in deltas))
    assert message == {"role": "assistant", "content": None, "tool_calls": [WHOLE]}


def test_several_calls_and_text() -> None:
    second = WHOLE | {"id": "c1"}
    expected = {"role": "assistant", "content": "ab", "tool_calls": [WHOLE, second]}
    for calls in ([{"index": 0} | WHOLE, {"index": 1} | second], [WHOLE, second]):
        assert message_of({"content": "a", "tool_calls": calls}, {"content": "b"}) == expected


def test_what_is_no_call_is_passed_over() -> None:
    message = message_of(*({"tool_calls": calls} for calls in (None, [], 3, [3])), {"refusal": "No."})
    assert message == {"role": "assistant", "content": None, "refusal": "No."}
