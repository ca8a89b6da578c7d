from __future__ import annotations

import pytest

from wending.serve.chat_message import ChatMessage
from wending.serve.openai_errors import APIError
from wending.serve.tool_messages import in_order_of_calls


def calls(*ids: str) -> ChatMessage:
    made = [{"id": one, "type": "function", "function": {"name": "f", "arguments": "{}"}} for one in ids]
    return ChatMessage.model_validate({"role": "assistant", "tool_calls": made})


def answer(call_id: str | None, content: str) -> ChatMessage:
    return ChatMessage.model_validate({"role": "tool", "tool_call_id": call_id, "content": content})


def contents(*messages: ChatMessage) -> list[str]:
    return [message.for_template()["content"] for message in in_order_of_calls(messages)]


def test_answers_stand_in_the_order_of_the_calls() -> None:
    user = ChatMessage.model_validate({"role": "user", "content": "u"})
    assert contents(
        user, calls("a", "b", "c"), answer("c", "C"), answer("a", "A"), answer("b", "B"), user
    ) == [*("u", "", "A", "B", "C", "u")]


def test_an_id_may_come_again_in_a_later_turn() -> None:
    messages = (calls("a", "b"), answer("b", "1"), answer("a", "2"), calls("b", "a"), answer("a", "3"))
    assert contents(*messages) == ["", "2", "1", "", "3"]


def test_without_ids_the_order_stays() -> None:
    assert contents(calls("a", "b"), answer(None, "1"), answer(None, "2")) == ["", "1", "2"]


@pytest.mark.parametrize("before", [[], [calls("a")]])
def test_an_answer_to_no_call(before: list[ChatMessage]) -> None:
    with pytest.raises(APIError, match="no call of the assistant message before has the id 'z'") as error:
        in_order_of_calls([*before, answer("z", "?")])
    assert error.value.param == f"messages[{len(before)}].tool_call_id"


def test_the_template_gets_arguments_as_an_object() -> None:
    made = {"id": "1", "index": 0, "function": {"name": "f", "arguments": '{"b": 1.0, "a": "é"}'}}
    message = ChatMessage.model_validate({"role": "assistant", "content": None, "tool_calls": [made]})
    assert message.for_template() == {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"b": 1.0, "a": "é"}}}],
    }
