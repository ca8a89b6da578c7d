from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from wending.serve.openai_errors import APIError
from wending.serve.responses.input_items import FunctionCallItem, MessageItem, input_items


def test_a_text_is_a_message_of_the_user() -> None:
    [item] = input_items("Hi")
    assert isinstance(item, MessageItem)
    assert item.role == "user"
    assert [part.text for part in item.content] == ["Hi"]


@pytest.mark.parametrize("by_alias", [False, True])
def test_items_of_the_official_client_come_back_with_all_their_fields(by_alias: bool) -> None:
    text = ResponseOutputText(type="output_text", text="你好", annotations=[])
    message = ResponseOutputMessage(
        id="msg_1", type="message", role="assistant", status="completed", content=[text]
    )
    call = ResponseFunctionToolCall(type="function_call", call_id="1", name="f", arguments="{}")
    first, second = input_items([each.model_dump(by_alias=by_alias) for each in (message, call)])
    assert isinstance(first, MessageItem)
    assert [part.text for part in first.content] == ["你好"]
    assert isinstance(second, FunctionCallItem)
    assert second.name == "f"


CALL: dict[str, Any] = {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}
WRONG: list[tuple[Any, str, str]] = [
    (None, "input[1]", "object"),
    ("text", "input[1]", "object"),
    ({"type": "item_reference", "id": "x"}, "input[1].type", "'item_reference' is not supported"),
    ({"type": ["message"]}, "input[1].type", "not supported"),
    ({"type": 5}, "input[1].type", "not supported"),
    ({"content": "x"}, "input[1].role", "Missing"),
    ({"role": "user", "content": None}, "input[1].content", "Missing"),
    ({"role": "user", "content": 5}, "input[1].content", "list of text parts"),
    ({"role": "user", "content": [{"type": "input_text"}]}, "input[1].content[0].text", "Missing"),
    ({"role": "user", "content": [{"type": "input_text", "text": 5}]}, "input[1].content[0].text", "5"),
    ({"role": "user", "content": [{"type": "input_file"}]}, "input[1].content[0].type", "input_file"),
    ({"role": "user", "content": "x", "colour": 1}, "input[1].colour", "Unknown"),
    ({"role": "robot", "content": "x"}, "input[1].role", "robot"),
    (CALL | {"arguments": "{"}, "input[1].arguments", "JSON object"),
    (CALL | {"name": ""}, "input[1].name", "at least 1"),
    (CALL | {"call_id": 1}, "input[1].call_id", "string"),
    (CALL | {"namespace": "n"}, "input[1].namespace", "Unknown"),
    ({"type": "function_call_output", "call_id": "1"}, "input[1].output", "Missing"),
]


@pytest.mark.parametrize(("item", "param", "said"), WRONG, ids=lambda value: str(value)[:50])
def test_wrong_items_are_refused_by_their_place(item: Any, param: str, said: str) -> None:
    with pytest.raises(APIError) as raised:
        input_items([{"role": "user", "content": "Hi"}, item])
    assert raised.value.status == 400
    assert raised.value.param == param
    assert said in raised.value.message
