from __future__ import annotations

from typing import Any

import pytest

from wending.serve.openai_errors import APIError
from wending.serve.responses.chat_form import ChatForm
from wending.serve.responses.responses_request import ResponsesRequest

ASK: dict[str, Any] = {"role": "user", "content": "Weather?"}
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def form(**fields: Any) -> ChatForm:
    return ChatForm.of(ResponsesRequest.parse({"model": "m", "input": "Hi"} | fields))


def call(call_id: str, **fields: Any) -> dict[str, Any]:
    item = {"type": "function_call", "call_id": call_id, "name": "weather", "arguments": '{"city": "巴黎"}'}
    return item | fields


def output(call_id: str, text: Any = "21 °C") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def shape(chat: ChatForm) -> list[tuple[str, str, int]]:
    """Role, content and number of calls of each message."""
    messages = chat.template_messages()
    return [(message["role"], message["content"], len(message.get("tool_calls", ()))) for message in messages]


Q, A = ("user", "Weather?", 0), ("tool", "21 °C", 0)
CONVERSATIONS: list[tuple[Any, list[tuple[str, str, int]]]] = [
    ("Hi", [("user", "Hi", 0)]),
    ([ASK, said("Fine."), ASK], [Q, ("assistant", "Fine.", 0), Q]),
    ([{"role": "developer", "content": "Be brief."}, ASK], [("system", "Be brief.", 0), Q]),
    ([ASK, call("1"), output("1")], [Q, ("assistant", "", 1), A]),
    ([ASK, said("I look."), call("1"), output("1")], [Q, ("assistant", "I look.", 1), A]),
    ([ASK, call("1"), call("2"), output("1"), output("2")], [Q, ("assistant", "", 2), A, A]),
    (
        [ASK, call("1"), output("1"), call("2"), output("2")],
        [Q, ("assistant", "", 1), A, ("assistant", "", 1), A],
    ),
    (
        [ASK, call("1"), said("One moment."), output("1")],
        [Q, ("assistant", "", 1), ("assistant", "One moment.", 0), A],
    ),
    (
        [ASK, call("1"), output("1", [{"type": "input_text", "text": part} for part in "ab"])],
        [Q, ("assistant", "", 1), ("tool", "a\nb", 0)],
    ),
]


@pytest.mark.parametrize(("given", "expected"), CONVERSATIONS, ids=range(len(CONVERSATIONS)))
def test_conversations(given: Any, expected: list[tuple[str, str, int]]) -> None:
    assert shape(form(input=given)) == expected
    assert shape(form(input=given, instructions="Be kind.")) == [("system", "Be kind.", 0), *expected]


def test_outputs_are_put_in_the_order_of_their_calls() -> None:
    items = [ASK, call("1"), call("2"), output("2", "second"), output("1", "first")]
    assert [content for role, content, _ in shape(form(input=items)) if role == "tool"] == ["first", "second"]


def test_settings() -> None:
    chat = form(max_output_tokens=7, temperature=0.5, top_k=3, seed=4, top_logprobs=2, truncation="auto")
    params = chat.sampling_params()
    assert (params.max_tokens, params.temperature, params.top_k, params.seed) == (7, 0.5, 3, 4)
    assert params.logprobs == 2
    assert chat.context_policy == "drop-oldest"
    assert form(include=["message.output_text.logprobs"]).sampling_params().logprobs == 0
    assert form().sampling_params().logprobs is None


def test_a_constraint_has_the_name_of_its_field_here() -> None:
    constraint = form(text={"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}).constraint()
    assert constraint is not None
    assert constraint.field == "text.format.schema"
    constraint = form(tools=[TOOL], tool_choice="required").constraint()
    assert constraint is not None
    assert constraint.kind == "tools"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"input": [output("1")]}, "input[0].call_id"),
    ({"input": [ASK, call("1"), output("1"), ASK, call("2"), output("1")]}, "input[5].call_id"),
    ({"input": [call("1", name="")]}, "input[0].name"),
    ({"tools": [TOOL, TOOL]}, "tools[1].name"),
    ({"tools": [TOOL], "tool_choice": {"type": "function", "name": "x"}}, "tool_choice.name"),
    ({"temperature": 2.5}, "temperature"),
]


@pytest.mark.parametrize(("fields", "param"), WRONG, ids=[param for _, param in WRONG])
def test_errors_name_the_fields_of_responses(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(APIError) as raised:
        form(**fields)
    assert raised.value.param == param
    assert f"'{param}'" in raised.value.message
